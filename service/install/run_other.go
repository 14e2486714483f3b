//go:build !windows

package install

import "context"

// Run runs the resident program as the service manager's child until ctx ends.
func Run(ctx context.Context, run func(context.Context) error) error { return run(ctx) }
