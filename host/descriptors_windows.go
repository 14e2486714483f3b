package host

import (
	"errors"

	"golang.org/x/sys/windows"
)

// openFiles is how many sockets are reasonable: Windows knows no limit but memory.
func openFiles() int { return 1 << 16 }

// outOfFiles: there is no room for another socket.
func outOfFiles(err error) bool {
	return errors.Is(err, windows.WSAEMFILE) || errors.Is(err, windows.WSAENOBUFS)
}
