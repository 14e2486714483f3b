//go:build linux || darwin

package service

import "net"

// peerUser returns the user id of the process at the other end of a Unix
// socket, as the kernel noted it at connect.
func peerUser(c net.Conn) (uid int, err error) {
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return -1, err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { uid, failed = peerOf(int(fd)) }); err != nil {
		return -1, err
	}
	if failed != nil {
		return -1, failed
	}
	return uid, nil
}
