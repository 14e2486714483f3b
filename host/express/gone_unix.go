//go:build unix && !linux

package express

import "syscall"

const toldOfEnds = true

// hasEnded tells whether the other side of a socket has said its last. It sees
// no end behind what waits to be read, as net/http does not.
func hasEnded(fd uintptr) bool {
	var next [1]byte
	for {
		n, _, err := syscall.Recvfrom(int(fd), next[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch err {
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			return n <= 0
		}
	}
}
