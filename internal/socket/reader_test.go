//go:build unix

package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

func TestAReaderReadsWhatComes(t *testing.T) {
	t.Parallel()
	ours, theirs := pair(t)
	_ = ours.SetDeadline(time.Now().Add(30 * time.Second))
	r := NewReader(ours)
	read := make([]byte, 100)
	for _, text := range []string{"at once", "later"} {
		go theirs.Write([]byte(text))
		if n, err := io.ReadFull(r, read[:len(text)]); err != nil || string(read[:n]) != text {
			t.Fatalf("%q, %v", read[:n], err)
		}
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("%d bytes into nothing, %v", n, err)
	}
	_ = theirs.Close()
	if n, err := r.Read(read); n != 0 || err != io.EOF {
		t.Errorf("%d bytes at the end, %v", n, err)
	}
}

func TestAReaderFailsAsItsConnectionDoes(t *testing.T) {
	t.Parallel()
	ours, theirs := pair(t)
	r := NewReader(ours)
	_ = ours.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err := r.Read(make([]byte, 1))
	if timeout, ok := errors.AsType[net.Error](err); !errors.Is(err, os.ErrDeadlineExceeded) || !ok || !timeout.Timeout() {
		t.Errorf("%v when it takes too long", err)
	}
	_ = ours.SetReadDeadline(time.Now().Add(30 * time.Second))
	_ = theirs.SetLinger(0)
	_ = theirs.Close() // resets
	if _, err = r.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v when it is reset", err)
	}
	_ = ours.Close()
	for _, r := range []*Reader{r, NewReader(ours)} {
		if _, err = r.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v when it is closed", err)
		}
	}
}
