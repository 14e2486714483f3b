//go:build !unix

package socket

import "syscall"

// Writer writes nothing here: on this system whoever writes waits.
type Writer struct{}

// NewWriter returns a Writer.
func NewWriter(syscall.Conn) *Writer { return &Writer{} }

// Write writes nothing.
func (*Writer) Write(_, _ []byte) int { return 0 }
