package apps

import (
	"io"
	"syscall"
)

// readPipe has no way here to learn that there is something to read.
func readPipe(syscall.Conn, io.Writer) (int64, error) { return 0, errReadPlainly }
