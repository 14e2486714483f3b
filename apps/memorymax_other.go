//go:build !linux

package apps

import "errors"

// limitMemory cannot: only Linux has control groups.
func (*cgroup) limitMemory(int64) error { return errors.New("only Linux can limit memory") }

func (*cgroup) outOfMemory() (own, box bool) { return false, false }
