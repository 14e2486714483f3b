//go:build !linux

package apps

import "context"

// awaitQuiet is false: whether processes wait cannot be seen cheaply here.
func (p *program) awaitQuiet(ctx context.Context) bool {
	<-ctx.Done()
	return false
}
