//go:build unix && !linux

package apps

import (
	"net"

	"golang.org/x/sys/unix"
)

// passCredentials does nothing: only Linux names the sender of a datagram.
func passCredentials(*net.UnixConn) error { return nil }

// readControl closes what came with a datagram.
func readControl(oob []byte) (s sender) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return s
	}
	for _, m := range messages {
		closeRights(&m)
	}
	return s
}
