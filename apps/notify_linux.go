package apps

import (
	"net"

	"golang.org/x/sys/unix"
)

// passCredentials has the kernel say who sends to c (SO_PASSCRED, unix(7)).
func passCredentials(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	if e := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) }); e != nil {
		return e
	}
	return err
}

// readControl reads who has sent a datagram, and closes what came with it.
func readControl(oob []byte) (s sender) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return s
	}
	s.known = true // though perhaps nobody
	for _, m := range messages {
		if cred, err := unix.ParseUnixCredentials(&m); err == nil {
			s.pid, s.uid = int(cred.Pid), int(cred.Uid)
		}
		closeRights(&m)
	}
	return s
}
