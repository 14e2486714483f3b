package express

import "golang.org/x/sys/unix"

const toldOfEnds = true

// hasEnded tells whether the other side of a socket has said its last, whatever of it
// waits to be read.
func hasEnded(fd uintptr) bool {
	asked := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	for {
		n, err := unix.Poll(asked, 0)
		if err != unix.EINTR {
			return n > 0
		}
	}
}
