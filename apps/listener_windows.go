package apps

import (
	"errors"

	"golang.org/x/sys/windows"
)

// ports are empty on Windows: sockets are not passed to programs there.
type ports struct{}

func newPorts() *ports { return &ports{} }
func (*ports) prune()  {}
func (*ports) close()  {}

func isTaken(err error) bool { return errors.Is(err, windows.WSAEADDRINUSE) }
