package apps

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// tunnel joins the client of an upgraded request with the instance, until both
// have said their last or either fails. The request counts as in flight for as long.
func (p *pool) tunnel(w http.ResponseWriter, r *http.Request, res *http.Response) error {
	instance, ok := res.Body.(io.ReadWriteCloser)
	if !ok || !wantsWebSocket(r) || !strings.EqualFold(res.Header.Get("Upgrade"), "websocket") {
		res.Body.Close()
		return errors.New("the instance switched to a protocol that nobody asked for")
	}
	defer instance.Close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	defer client.Close()

	h := w.Header()
	copyHeader(h, res.Header)
	h["Connection"], h["Upgrade"] = valueUpgrade, valueWebSocket
	head := &http.Response{StatusCode: http.StatusSwitchingProtocols, ProtoMajor: 1, ProtoMinor: 1, Header: h}
	out := bufio.NewWriter(client)
	if head.Write(out) != nil || out.Flush() != nil {
		return nil // the client is gone
	}
	out, head = nil, nil // a tunnel may be idle for days
	end := sync.OnceFunc(func() {
		client.Close()
		instance.Close()
	})
	up := make(chan struct{})
	go func() {
		defer close(up)
		if pour(instance, buffered) != nil {
			end()
		}
	}()
	if pour(client, instance) != nil {
		end()
	}
	<-up
	return nil
}

// pourBuffer is small because most upgraded connections are idle most of the
// time, and each holds two: io.Copy would take 32 KiB.
const pourBuffer = 4 << 10

// pour copies src to dst and tells dst that no more comes.
func pour(dst io.Writer, src io.Reader) error {
	// The wrappers hide ReadFrom and WriteTo, which make larger buffers.
	if _, err := io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{src}, make([]byte, pourBuffer)); err != nil {
		return err
	}
	if h, ok := dst.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return net.ErrClosed
}
