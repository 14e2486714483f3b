//go:build !windows

package host

import (
	"errors"
	"os"
	"syscall"
)

// portTaken and mayNotBind are the two ways in which bind(2) usually fails.
func portTaken(err error) bool  { return errors.Is(err, syscall.EADDRINUSE) }
func mayNotBind(err error) bool { return errors.Is(err, os.ErrPermission) }

// noSuchAddress: no interface has it.
func noSuchAddress(err error) bool { return errors.Is(err, syscall.EADDRNOTAVAIL) }
