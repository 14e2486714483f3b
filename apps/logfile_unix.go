//go:build unix

package apps

import "syscall"

// openQuickly has the opening of a named pipe fail when nobody reads it, and
// the writing to it wait no longer than until its deadline.
const openQuickly = syscall.O_NONBLOCK
