package service

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUser returns the user id of the process at the other end of a Unix
// socket, as the kernel noted it at connect (SO_PEERCRED, unix(7)).
func peerUser(c net.Conn) (int, error) {
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}
