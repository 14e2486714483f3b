package host

import (
	"errors"

	"golang.org/x/sys/windows"
)

// portTaken and mayNotBind are the two ways in which bind usually fails.
func portTaken(err error) bool  { return errors.Is(err, windows.WSAEADDRINUSE) }
func mayNotBind(err error) bool { return errors.Is(err, windows.WSAEACCES) }

// noSuchAddress: no interface has it.
func noSuchAddress(err error) bool { return errors.Is(err, windows.WSAEADDRNOTAVAIL) }
