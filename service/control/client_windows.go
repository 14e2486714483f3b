package control

import (
	"errors"

	"golang.org/x/sys/windows"
)

// refused reports an error that means "nobody listens": Winsock has its own numbers.
func refused(err error) bool {
	return errors.Is(err, windows.WSAECONNREFUSED) || errors.Is(err, windows.WSAENETUNREACH)
}
