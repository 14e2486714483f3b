package host

import (
	"net"

	"golang.org/x/sys/unix"
)

// unacknowledged is the number of bytes written to c that the peer's system
// has not acknowledged yet (SIOCOUTQ, tcp(7)).
func unacknowledged(c *net.TCPConn) (n int, known bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	ctl := raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	return n, ctl == nil && err == nil
}
