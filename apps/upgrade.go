package apps

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"roost/apps/upstream"
)

// tunnel joins the client of an upgraded request with the instance, until both
// have said their last or either fails.
func (p *pool) tunnel(w http.ResponseWriter, r *http.Request, e *endpoint, a *upstream.Answer) error {
	if !wantsWebSocket(r) || !strings.EqualFold(fieldOf(a.Head.Fields, "Upgrade"), "websocket") {
		a.Close()
		return errors.New("the instance switched to a protocol that nobody asked for")
	}
	fields := slices.Clone(a.Head.Fields)
	instance, err := a.Upgrade()
	if err != nil {
		return err
	}
	defer instance.Close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	defer client.Close()

	h := w.Header()
	copyFields(h, fields)
	h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
	head := &http.Response{StatusCode: http.StatusSwitchingProtocols, ProtoMajor: 1, ProtoMinor: 1, Header: h}
	out := bufio.NewWriter(client)
	if head.Write(out) != nil || out.Flush() != nil {
		return nil // the client is gone
	}
	out, head = nil, nil          // a tunnel may be idle for days
	if !e.upstream.Join(client) { // e.close closes it, too
		return nil
	}
	defer e.upstream.Leave(client)
	end := func() {
		client.Close()
		instance.Close()
	}
	up := make(chan struct{})
	go func() {
		defer close(up)
		from, to := pour(instance, buffered)
		if to != nil {
			// An instance that takes no more may still have something to say.
			// What the client says is read all the same: closing a connection
			// with unread bytes resets it, and the client loses the rest.
			_, from = io.Copy(io.Discard, buffered)
		}
		if from != nil {
			end()
		}
	}()
	from, to := pour(client, instance)
	if from != nil || to != nil {
		end()
	}
	client.SetReadDeadline(time.Now().Add(lastWords))
	<-up
	return nil
}

// lastWords is how long a client has for its part when the instance has said its last.
const lastWords = 10 * time.Second

// pourBuffer is small because most upgraded connections are idle most of the
// time, and each holds two: io.Copy would take 32 KiB.
const pourBuffer = 4 << 10

// pour copies src to dst and tells dst that no more comes. It returns which of
// the two failed, and how.
func pour(dst io.Writer, src io.Reader) (from, to error) {
	buf := make([]byte, pourBuffer)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return nil, err
			}
		}
		if err == io.EOF {
			if h, ok := dst.(interface{ CloseWrite() error }); ok {
				return nil, h.CloseWrite()
			}
			return nil, net.ErrClosed
		}
		if err != nil {
			return err, nil
		}
	}
}
