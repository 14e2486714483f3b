//go:build unix

package apps

import "syscall"

// openQuickly has the opening of a named pipe not wait for its reader, and
// the writing to it for no longer than it has a deadline.
const openQuickly = syscall.O_NONBLOCK
