//go:build unix

package socket

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// pair returns both ends of a connection.
func pair(t *testing.T) (ours, theirs *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); d.Close() })
	_ = d.SetDeadline(time.Now().Add(30 * time.Second))
	return c.(*net.TCPConn), d.(*net.TCPConn)
}

func TestAWriterWritesWhatThereIsRoomFor(t *testing.T) {
	t.Parallel()
	ours, theirs := pair(t)
	w := NewWriter(ours)
	var sent []byte
	part := bytes.Repeat([]byte("what is written is what is read. "), 1000)
	for i := 0; ; i += 7 {
		end := i * i % len(part)
		n := w.Write(part[:end], part[end:])
		sent = append(sent, part[:n]...)
		if n < len(part) { // it has not waited: nobody reads yet
			break
		}
	}
	read := make([]byte, len(sent))
	if _, err := io.ReadFull(theirs, read); err != nil || !bytes.Equal(read, sent) {
		t.Fatalf("%d bytes were written, and others read: %v", len(sent), err)
	}
	if n := w.Write(nil, nil); n != 0 {
		t.Errorf("of nothing %d bytes were written", n)
	}
}

func TestAWriterWritesNothingToWhatIsClosed(t *testing.T) {
	t.Parallel()
	ours, _ := pair(t)
	w := NewWriter(ours)
	ours.Close()
	if n := w.Write([]byte("late"), nil); n != 0 {
		t.Errorf("%d bytes were written to a socket that is closed", n)
	}
	if n := NewWriter(ours).Write([]byte("late"), []byte("too")); n != 0 {
		t.Errorf("%d bytes were written to a socket that was closed before", n)
	}
}
