package host

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// exchange is one request and what becomes of it. It is also the
// ResponseWriter that folders and apps answer on: it counts, keeps sendfile,
// and over HTTP/2 and HTTP/3, where one connection carries many answers, it
// watches that this one moves (a guard and a progress watch whole connections).
type exchange struct {
	http.ResponseWriter
	request *http.Request
	link    *link
	start   time.Time
	domain  string      // canonical, of the request
	path    string      // clean, of the request
	routes  *domain     // nil: unknown
	site    *site       // nil: unknown
	to      *route      // nil: none
	app     string      // empty: not for an app
	head    *answerHead // nil: the head is left as it is
	cors    http.Header // what the answer says to other origins; nil: what the target says
	user    string      // who has logged in; empty: nobody was asked
	pace    *pace       // nil: the answer is sent as fast as can be
	format  *logFormat  // that it is logged in
	altSvc  *[]string   // announced in the answer; nil: nothing is
	keep    func(int)   // takes the head that a status is told with; nil: nobody wants it
	// instance is the one whose answer it is; at is zero when it is none's.
	instance struct {
		slot             int
		network, address string
		at               time.Time // that its head came
	}

	status   int // 0: nothing written
	bytes    int64
	hijacked uint64 // bytes written on the connection when it was taken over, plus one
	out, in  stall  // HTTP/2 and HTTP/3
}

// link is the connection that a request came on.
type link struct {
	guard   *guard    // of HTTP/1 in the full lane; else nil
	express bool      // the express lane
	wire    *progress // nil when the listener is not TCP
	member  *member   // of the connections' list
	// streams is how long one of its streams may stand still; 0: there are none, and the connection is watched instead.
	streams time.Duration
	// setTLS tells a request that it came over TLS; nil when the request knows, or did not.
	setTLS func(*http.Request)
}

// one says that there is one exchange at a time; of HTTP/2 and HTTP/3 there are many.
func (l *link) one() bool { return l.guard != nil || l.express }

// lane is the one that the connection is in.
func (l *link) lane() string {
	if l.express {
		return "express"
	}
	return "full"
}

// exchanges are those that are over, on connections that have one at a time.
var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// begin returns the exchange of a request.
func (l *link) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := exchanges.Get().(*exchange)
	x.ResponseWriter, x.request, x.link, x.start = w, r, l, time.Now()
	return x
}

// end is the last that is done with x. Of streams a clock may still look at it,
// and who has taken a connection over.
func (l *link) end(x *exchange) {
	if l.one() && x.hijacked == 0 {
		*x = exchange{}
		exchanges.Put(x)
	}
}

type linkKey struct{}

const streamChunk = 32 << 10 // bytes in which an answer must move within the progress timeout

func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		x.status = status
		if x.cors != nil {
			restore(x.Header(), x.cors)
		}
		x.head.add(x.Header(), x.request.TLS != nil)
		if x.site != nil && status >= 200 {
			x.site.rules.headers.Apply(x.Header(), x.request, x.path, status)
		}
		x.head.seal(x.Header())
		if x.pace != nil && eventStream(x.Header()) {
			x.pace = nil
		}
	}
	x.ResponseWriter.WriteHeader(status)
	if x.keep != nil && status == x.status {
		x.keep(status)
		x.keep = nil
	}
}

func (x *exchange) Write(p []byte) (n int, err error) {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	if x.pace != nil {
		return x.writePaced(p)
	}
	return x.write(p)
}

func (x *exchange) write(p []byte) (n int, err error) {
	if x.out.timeout == 0 {
		n, err = x.ResponseWriter.Write(p)
		x.bytes += int64(n)
		return n, err
	}
	for {
		chunk := p[n:min(len(p), n+streamChunk)]
		x.out.begin()
		m, err := x.ResponseWriter.Write(chunk)
		x.out.end()
		n += m
		x.bytes += int64(m)
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// ReadFrom keeps sendfile(2).
func (x *exchange) ReadFrom(r io.Reader) (int64, error) {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	if x.pace != nil {
		return x.readPaced(r)
	}
	return x.readFrom(r)
}

func (x *exchange) readFrom(r io.Reader) (int64, error) {
	rf, ok := x.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return copyStream((*unpaced)(x), r)
	}
	n, err := rf.ReadFrom(r)
	x.bytes += n
	return n, err
}

// eventStream tells server-sent events, which nobody is to wait for.
func eventStream(h http.Header) bool {
	kind := h["Content-Type"]
	return len(kind) > 0 && strings.HasPrefix(kind[0], "text/event-stream")
}

// FlushError sends what is buffered.
func (x *exchange) FlushError() error {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	if x.out.timeout > 0 {
		x.out.begin()
		defer x.out.end()
	}
	return http.NewResponseController(x.ResponseWriter).Flush()
}

// Flush sends what is buffered.
func (x *exchange) Flush() { x.FlushError() }

// Hijack hands the connection over. What follows is no longer HTTP: nobody
// watches its framing.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(x.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if x.status == 0 {
		x.status = http.StatusSwitchingProtocols
	}
	if x.link.guard != nil {
		x.link.guard.off.Store(true)
	}
	x.link.member.begin() // which never ends: the connection is not idle for having no request
	if x.link.wire != nil {
		x.hijacked = x.link.wire.written.Load() + 1
	}
	return conn, buffered, nil
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// AnsweredBy is told by an app which of its instances answers, and when the
// head of the answer came.
func (x *exchange) AnsweredBy(slot int, network, address string, at time.Time) {
	x.instance.slot, x.instance.network, x.instance.address, x.instance.at = slot, network, address, at
}

// sent is the bytes of body that the client was sent; of a connection that was
// taken over, all that was written since.
func (x *exchange) sent() int64 {
	switch {
	case x.hijacked > 0:
		return int64(x.link.wire.written.Load() + 1 - x.hijacked)
	case x.request.Method == http.MethodHead:
		return 0
	}
	return x.bytes
}

// exchangeOf finds the exchange under whatever w was wrapped in.
func exchangeOf(w http.ResponseWriter) *exchange {
	for {
		if x, ok := w.(*exchange); ok {
			return x
		}
		wrapped, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = wrapped.Unwrap()
	}
}
