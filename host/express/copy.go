package express

import (
	"io"
	"net"
	"sync"
	"time"
)

var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// Copy copies through a large buffer, whatever else w and r can do: one TLS
// record takes 16 KiB.
func Copy(w io.Writer, r io.Reader) (int64, error) {
	buffer := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buffer)
	return io.CopyBuffer(onlyWriter{w}, onlyReader{r}, buffer[:])
}

// onlyWriter and onlyReader hide ReadFrom and WriteTo, which may lead back to Copy.
type onlyWriter struct{ io.Writer }
type onlyReader struct{ io.Reader }

// CloseWrite ends our side of c, so that the client can still read what was sent.
func CloseWrite(c net.Conn) error {
	if c, ok := c.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// Linger closes c when it is us who end it: it first ends our side and reads
// for a moment. Bytes left unread would make the system reset the connection,
// and the client might lose the answer (RFC 9112 section 9.6). Who sends more
// than is read of it has that moment to listen, too.
func Linger(c net.Conn) error {
	_ = CloseWrite(c)
	over := time.Now().Add(lingerTime)
	_ = c.SetReadDeadline(over)
	if n, _ := io.CopyN(io.Discard, c, lingerBytes); n == lingerBytes {
		time.Sleep(time.Until(over))
	}
	return c.Close()
}

const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)
