package host

import (
	"net"
	"os"
	"syscall"
)

// listenConfig has connections inherit what the listening socket is told once,
// instead of four calls for each of them: whether a client that says nothing is still there is asked
// as often as Go does (tcp(7), socket(7)).
var listenConfig = net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, conn syscall.RawConn) error {
	var failed error
	err := conn.Control(func(fd uintptr) {
		for _, o := range []struct{ level, name, value int }{
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15}, // seconds
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9},
		} {
			if err := syscall.SetsockoptInt(int(fd), o.level, o.name, o.value); err != nil {
				failed = os.NewSyscallError("setsockopt", err)
			}
		}
	})
	if err != nil {
		return err
	}
	return failed
}}
