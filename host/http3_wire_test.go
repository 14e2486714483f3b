package host

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"roost/internal/testport"

	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
)

// raw3 is a connection whose requests are written by hand.
type raw3 struct {
	*quic.Conn
	t *testing.T
}

func (b *box) raw3(q *quic.Config) raw3 {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := b.dialQUIC(ctx, &tls.Config{RootCAs: b.roots(), ServerName: "localhost", NextProtos: []string{"h3"}}, q)
	if err != nil {
		b.t.Fatal(err)
	}
	control, err := c.OpenUniStream()
	if err != nil {
		b.t.Fatal(err)
	}
	control.Write([]byte{0, 4, 0}) // a control stream with empty settings (RFC 9114 section 6.2.1)
	return raw3{c, b.t}
}

func headers3(fields ...string) []byte {
	var block bytes.Buffer
	e := qpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(qpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return append(quicvarint.Append([]byte{1}, uint64(block.Len())), block.Bytes()...)
}

func get3(path string, more ...string) []byte {
	return headers3(append([]string{":method", "GET", ":scheme", "https", ":authority", "localhost", ":path", path}, more...)...)
}

// open sends bytes on a new stream.
func (c raw3) open(data []byte, end bool) *quic.Stream {
	c.t.Helper()
	s, err := c.OpenStream()
	if err != nil {
		c.t.Fatal(err)
	}
	s.SetDeadline(time.Now().Add(30 * time.Second))
	var enough *quic.StreamError // the box need not read all of it
	if _, err := s.Write(data); err != nil && !errors.As(err, &enough) {
		c.t.Fatal(err)
	}
	if end {
		s.Close()
	}
	return s
}

// status reads the status of an answer, or how its stream ended.
func (c raw3) status(s *quic.Stream) string {
	r := quicvarint.NewReader(s)
	for {
		kind, err := quicvarint.Read(r)
		if err == nil {
			var n uint64
			if n, err = quicvarint.Read(r); err == nil {
				data := make([]byte, n)
				_, err = io.ReadFull(s, data)
				if err == nil && kind == 1 {
					next, status := qpack.NewDecoder().Decode(data), ""
					for field, err := next(); err != io.EOF; field, err = next() {
						switch {
						case err != nil:
							c.t.Fatal(err)
						case field.Name == ":status":
							status = field.Value
						case field.Name == "connection", field.Name == "alt-svc":
							c.t.Errorf("an answer has %s: %s", field.Name, field.Value)
						}
					}
					return status
				}
			}
		}
		var reset *quic.StreamError
		var closed *quic.ApplicationError
		switch {
		case errors.As(err, &reset):
			return "reset"
		case errors.As(err, &closed):
			return "closed"
		case err != nil:
			return err.Error()
		}
	}
}

// busy is how many requests are being answered.
func (b *box) busy() (n int64) {
	b.conns.mu.Lock()
	defer b.conns.mu.Unlock()
	for m := range b.conns.all.open {
		n += m.busy.Load()
	}
	return n
}

// ends waits until the box closes the connection.
func (c raw3) ends() (reason error) {
	c.t.Helper()
	select {
	case <-c.Context().Done():
		return context.Cause(c.Context())
	case <-time.After(15 * time.Second):
		c.t.Fatal("the connection is still open")
		return nil
	}
}

func TestAnAppAnswersOverHTTP3(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := Config{Host: Listen{HTTP3: true}, Sites: []Site{{Domains: []string{"app.localhost"}, Target: Target{App: "web"}}}}
	testApp(t, &c, "web", "one", 1)
	b.settled(c)
	client := b.client3()
	if res, body := b.get(client, "https://app.localhost/x?y=1;2"); res.StatusCode != 200 || body != "one /x?y=1;2 https 127.0.0.1 app.localhost" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	for _, length := range []int64{3 << 20, -1} {
		r, _ := http.NewRequest("POST", "https://app.localhost/upload", io.LimitReader(zeros{}, 3<<20))
		r.ContentLength = length
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != "3145728 <nil>" {
			t.Errorf("upload of length %d: %d %s", length, res.StatusCode, body)
		}
	}
	// A request without a body is one without a body for the app, too.
	b.front.router.Store(newRouter(Config{Sites: []Site{{Target: Target{App: "x"}}}}, handlerTargets{handler: asApp(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Method, r.ContentLength)
	})}))
	if _, body := b.get(client, "https://app.localhost/"); body != "GET0" {
		t.Errorf("a GET is %s", body)
	}
	if s := b.Status(); s.Apps[0].Figures.Requests != 3 {
		t.Errorf("%+v", s.Apps[0].Figures)
	}
}

func TestAnAnswerStreamsOverHTTP3(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{HTTP3: true, ProgressTimeout: milliseconds(1000), HeaderTimeout: milliseconds(1000), IdleTimeout: milliseconds(1000)})
	res, err := b.client3().Get("https://localhost/quiet") // is silent for longer than all of them
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); string(body) != "late" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

func TestHTTP3HasLimits(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{HTTP3: true})
	c := b.raw3(nil)
	var lines, ranges []string
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("x-%d", i), "1")
	}
	for i := range 10000 {
		ranges = append(ranges, fmt.Sprintf("%d-%d", i, i))
	}
	for name, test := range map[string]struct {
		request []byte
		want    string
	}{
		"good":             {get3("/"), "200"},
		"header lines":     {get3("/", lines...), "431"},
		"5000 fields":      {get3("/", strings.Split(strings.Repeat("x,y,", 5000), ",")[:10000]...), "431"},
		"large header":     {get3("/", "x-large", strings.Repeat("x", 17<<10)), "431"},
		"10,000 ranges":    {get3("/", "range", "bytes="+strings.Join(ranges, ",")), "431"},
		"long target":      {get3("/" + strings.Repeat("x", 9<<10)), "414"},
		"64 KiB target":    {get3("/" + strings.Repeat("x", 64<<10)), "431"},
		"TRACE":            {headers3(":method", "TRACE", ":scheme", "https", ":authority", "localhost", ":path", "/"), "405"},
		"CONNECT":          {headers3(":method", "CONNECT", ":authority", "localhost:22"), "405"},
		"extended CONNECT": {headers3(":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":authority", "localhost", ":path", "/"), "405"},
		"no path":          {headers3(":method", "GET", ":scheme", "https", ":authority", "localhost"), "reset"},
		"no slash":         {get3("x"), "reset"},
		"star":             {get3("*"), "reset"},
		"absolute":         {get3("https://localhost/"), "reset"},
		"two methods":      {get3("/", ":method", "GET"), "reset"},
		"a status":         {headers3(":method", "GET", ":scheme", "https", ":authority", "localhost", ":path", "/", ":status", "200"), "reset"},
		"pseudo after":     {headers3(":method", "GET", ":scheme", "https", ":authority", "localhost", "x-a", "b", ":path", "/"), "reset"},
		"unknown pseudo":   {headers3(":method", "GET", ":scheme", "https", ":authority", "localhost", ":path", "/", ":x", "b"), "reset"},
		"capitals":         {get3("/", "X-A", "b"), "reset"},
		"line break":       {get3("/", "x-a", "b\r\nx-c: d"), "reset"},
		"NUL":              {get3("/", "x-a", "b\x00"), "reset"},
		"connection":       {get3("/", "connection", "close"), "reset"},
		"chunked":          {get3("/", "transfer-encoding", "chunked"), "reset"},
		"te":               {get3("/", "te", "gzip"), "reset"},
		"two hosts":        {get3("/", "host", "other"), "reset"},
		"user":             {headers3(":method", "GET", ":scheme", "https", ":authority", "a@localhost", ":path", "/"), "reset"},
		"two lengths":      {get3("/", "content-length", "1", "content-length", "2"), "reset"},
		"negative length":  {get3("/", "content-length", "-1"), "reset"},
		"fragment":         {get3("/#x"), "400"},
		"NUL in the path":  {get3("/%00"), "400"},
		"odd host":         {headers3(":method", "GET", ":scheme", "https", ":authority", "local host", ":path", "/"), "400"},
		"rubbish":          {append([]byte{1, 3}, 0xff, 0xff, 0xff), "reset"},
		"a short head":     {get3("/")[:10], "reset"},
		"a short body":     {append(headers3(":method", "POST", ":scheme", "https", ":authority", "localhost", ":path", "/", "content-length", "5"), 0, 1, 'x'), "400"},
	} {
		if got := c.status(c.open(test.request, true)); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	if got := c.status(c.open(get3("/"), true)); got != "200" {
		t.Errorf("after all of them: %s", got)
	}
	if n := b.Status().Connections["http3"]; n != 1 {
		t.Errorf("%d connections", n)
	}
	// Data before the head is an error of the connection (RFC 9114 section 4.1).
	if got := c.status(c.open([]byte{0, 1, 'x'}, true)); got != "closed" {
		t.Errorf("data first: %s", got)
	}
}

func TestHTTP3AllowsSoManyStreams(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{HTTP3: true})
	c := b.raw3(nil)
	n := 0
	for ; n < 1000; n++ {
		s, err := c.OpenStream()
		if err != nil {
			break
		}
		s.Write(get3("/")[:5])
	}
	if n != maxStreams {
		t.Errorf("%d streams", n)
	}
}

func TestSlowPeersOverHTTP3AreCut(t *testing.T) {
	t.Parallel()
	// The progress timeout is also that of connections from which nothing comes at all: a busy machine needs some of it.
	b := limited(t, Listen{HTTP3: true, HeaderTimeout: milliseconds(2000), IdleTimeout: milliseconds(3000), ProgressTimeout: milliseconds(2000)})
	// Peers that answer all but take nothing, or give no more.
	begun := time.Now()
	shut := map[string]*quic.Stream{}
	for _, window := range []uint64{16, 1000} {
		c := b.raw3(&quic.Config{InitialStreamReceiveWindow: window, MaxStreamReceiveWindow: window})
		shut[fmt.Sprint("window ", window)] = c.open(get3("/big"), true)
	}
	stops := b.raw3(nil)
	post := headers3(":method", "POST", ":scheme", "https", ":authority", "localhost", ":path", "/", "content-length", "50")
	half := stops.open(append(post, 0, 4, 'h', 'a', 'l', 'f'), false)
	until(t, "all requests begin", func() bool { return b.busy() == 3 })
	until(t, "all requests end", func() bool { return b.busy() == 0 }) // nothing is read: the windows stay as they are
	took := time.Since(begun)
	if took < 1500*time.Millisecond {
		t.Errorf("cut after %v", took)
	}
	for name, s := range shut {
		var reset *quic.StreamError
		if _, err := io.Copy(io.Discard, s); !errors.As(err, &reset) {
			t.Errorf("%s: %v after %v", name, err, took)
		}
	}
	if got := stops.status(half); got != "400" {
		t.Errorf("a body that stops: %s after %v", got, took)
	}
	// Connections without requests.
	silent := b.raw3(nil)
	begins := b.raw3(nil)
	begins.open(get3("/")[:9], false)
	idle := b.raw3(nil)
	if got := idle.status(idle.open(get3("/"), true)); got != "200" {
		t.Fatalf("%s", got)
	}
	idle.open(get3("/")[:9], false) // does not keep it
	for name, c := range map[string]raw3{"silent": silent, "half a head": begins, "idle": idle} {
		reason := c.ends()
		var closed *quic.ApplicationError
		if !errors.As(reason, &closed) || closed.ErrorCode != noError {
			t.Errorf("%s: %v", name, reason)
		}
	}
	until(t, "all connections forgotten", func() bool { return b.Status().Connections["http3"] == 0 })
}

func TestShutdownFinishesWhatHasBegunOverHTTP3(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.settled(Config{Host: Listen{HTTP3: true}, Sites: []Site{{Domains: []string{"localhost"}, Target: Target{Root: b.folder(nil)}}}})
	entered, leave := make(chan bool), make(chan bool)
	b.front.router.Store(newRouter(Config{Sites: []Site{{Target: Target{App: "x"}}}}, handlerTargets{handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- true
		<-leave
		w.Write(make([]byte, 1<<20))
	})}))
	idle := b.raw3(nil)
	idle.status(idle.open(headers3(":method", "TRACE", ":scheme", "https", ":authority", "localhost", ":path", "/"), true))
	fresh := b.raw3(nil)
	busy := b.raw3(nil)
	s := busy.open(get3("/"), true)
	<-entered
	// The client's side of the control stream, where GOAWAY comes.
	control, err := busy.AcceptUniStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan bool)
	go func() { b.stop(); close(stopped) }()
	frames := quicvarint.NewReader(control)
	kind, _ := quicvarint.Read(frames)
	if kind != 0 {
		t.Fatalf("stream of type %d", kind)
	}
	for kind != 7 { // GOAWAY
		if kind, err = quicvarint.Read(frames); err != nil {
			t.Fatal(err)
		}
		n, _ := quicvarint.Read(frames)
		io.CopyN(io.Discard, control, int64(n))
	}
	if got := busy.status(busy.open(get3("/"), true)); got != "reset" { // and may be sent elsewhere: H3_REQUEST_REJECTED
		t.Errorf("a request after GOAWAY: %s", got)
	}
	for _, c := range []raw3{idle, fresh} {
		if reason := c.ends(); reason == nil {
			t.Error("still open")
		}
	}
	close(leave)
	if got := busy.status(s); got != "200" {
		t.Errorf("the request in flight: %s", got)
	}
	if n, err := io.Copy(io.Discard, s); n < 1<<20 || err != nil {
		t.Errorf("the request in flight: %d bytes, %v", n, err)
	}
	<-stopped
	if reason := busy.ends(); reason == nil {
		t.Error("the connection is still open")
	}
}

func TestChangesAreNotFeltOverHTTP3(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	config := func(i int) Config {
		root := b.folder(map[string]string{"index.html": "x"})
		return Config{Host: Listen{HTTP3: true, IdleTimeout: milliseconds(60000 + i)}, Sites: []Site{{Domains: []string{"localhost"}, Target: Target{Root: root}}}}
	}
	b.settled(config(0))
	address := b.address("http3")
	client := b.client3()
	stop, ended := make(chan bool), make(chan bool)
	var answered atomic.Int64
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if res, body := b.get(client, "https://localhost/"); res.StatusCode != 200 || body != "x" {
				t.Errorf("%d %s", res.StatusCode, body)
				return
			}
			answered.Add(1)
		}
	}()
	for i := range 5 {
		before := answered.Load()
		b.settled(config(i + 1))
		until(t, "answers after a change", func() bool { return answered.Load() > before+5 || t.Failed() })
	}
	// Off and on again, the connection on the same socket.
	c := config(7)
	c.Host.HTTP3 = false
	b.settled(c)
	before := answered.Load()
	until(t, "answers while off", func() bool { return answered.Load() > before+5 || t.Failed() })
	b.settled(config(8))
	if got := b.address("http3"); got != address {
		t.Errorf("listening on %s, before on %s", got, address)
	}
	b.get(b.client3(), "https://localhost/") // a new connection
	close(stop)
	<-ended
	if n := b.Status().Connections["http3"]; n != 2 {
		t.Errorf("%d connections, want one for each client", n)
	}
}

func TestAUDPPortThatIsTakenIsToldAndTheRestServes(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := Config{Host: Listen{HTTP3: true}, Sites: []Site{{Domains: []string{"localhost"}, Target: Target{Root: b.folder(map[string]string{"index.html": "x"})}}}}
	taken, err := net.ListenPacket("udp", testport.Address(t))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c.Host.HTTPS = taken.LocalAddr().String()
	var failure *ListenError
	if err := b.want(c); !errors.As(err, &failure) || failure.Kind != "http3" {
		t.Fatalf("Settle: %v", err)
	}
	if !strings.Contains(failure.Error(), "for http3: the port is taken by") || !strings.Contains(failure.Hint(), "or set http3 = false in [host]") {
		t.Errorf("%s: %s", failure, failure.Hint())
	}
	if res, body := b.get(b.client(true), "https://localhost/"); body != "x" || res.Header.Get("Alt-Svc") != "" {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, body)
	}
	l := b.Status().Listeners
	if len(l) != 3 || !l[1].Bound || l[2].Bound || l[2].Error == "" || l[2].Kind != "http3" || len(b.Status().Problems) != 1 {
		t.Errorf("%+v", l)
	}
	taken.Close()
	until(t, "bound once the port is free", func() bool { l := b.Status().Listeners; return len(l) == 3 && l[2].Bound })
	if res, body := b.get(b.client3(), "https://localhost/"); body != "x" || res.ProtoMajor != 3 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	// And moves with https.
	c.Host.HTTPS = ""
	b.settled(c)
	if at := b.address("http3"); at == taken.LocalAddr().String() {
		t.Errorf("still at %s", at)
	}
	if _, body := b.get(b.client3(), "https://localhost/"); body != "x" {
		t.Errorf("%s", body)
	}
}

func TestNothingIsAnsweredBeforeTheHandshakeHasEnded(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{HTTP3: true})
	config := &tls.Config{RootCAs: b.roots(), ServerName: "localhost", NextProtos: []string{"h3"}, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for i := range 2 {
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		tr := &quic.Transport{Conn: udp}
		to, _ := net.ResolveUDPAddr("udp", b.address("http3"))
		c, err := tr.DialEarly(t.Context(), to, config, nil)
		if err != nil {
			t.Fatal(err)
		}
		h := (&http3.Transport{}).NewClientConn(c)
		r, _ := http.NewRequest(http3.MethodGet0RTT, "https://localhost/", nil)
		res, err := h.RoundTrip(r)
		if i == 1 && err == nil && !c.ConnectionState().TLS.DidResume {
			t.Error("the session was not resumed: this test shows nothing")
		}
		if c.ConnectionState().Used0RTT || err != nil && !errors.Is(err, quic.Err0RTTRejected) {
			t.Errorf("0-RTT: %v, %v", c.ConnectionState().Used0RTT, err)
		}
		if err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		c.CloseWithError(noError, "")
		tr.Close()
		udp.Close()
	}
}

// deaf hears nothing of what it is answered, as one whose address is not its own.
type deaf struct{ net.PacketConn }

func (d deaf) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		if _, _, err := d.PacketConn.ReadFrom(p); err != nil {
			return 0, nil, err
		}
	}
}

func TestHandshakesThatNobodyMeansAreBounded(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{HTTP3: true, HeaderTimeout: milliseconds(4000)})
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	tr := &quic.Transport{Conn: deaf{udp}}
	to, err := net.ResolveUDPAddr("udp", b.address("http3"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	config := &tls.Config{RootCAs: b.roots(), ServerName: "localhost", NextProtos: []string{"h3"}}
	var dialling sync.WaitGroup
	for range 400 {
		dialling.Go(func() {
			if c, err := tr.Dial(ctx, to, config, nil); err == nil {
				t.Error("a handshake ended of which nothing was heard")
				c.CloseWithError(noError, "")
			}
		})
	}
	until(t, "as many as may be", func() bool { return b.Status().Connections["http3"] >= manyHandshakes })
	until(t, "who hears is asked once more, and served", func() bool { // in time, where the machine is not busy with the others
		res, err := b.client3().Get("https://localhost/")
		if err != nil {
			t.Log(err)
			return false
		}
		res.Body.Close()
		return res.StatusCode == 200
	})
	if n := b.Status().Connections["http3"]; n > manyHandshakes+1 {
		t.Errorf("%d connections", n)
	}
	cancel()
	dialling.Wait()
	tr.Close()
	udp.Close()
	until(t, "all given up", func() bool { return b.Status().Connections["http3"] <= 1 })
}

func TestHTTP3IsServedOnBothFamilies(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.settled(Config{Host: Listen{HTTP: "off", HTTPS: ":0", HTTP3: true}, Sites: []Site{{Target: Target{Root: b.folder(map[string]string{"index.html": "x"})}}}})
	_, port, _ := net.SplitHostPort(b.address("http3"))
	addresses := []string{"127.0.0.1"}
	if l, err := net.ListenPacket("udp", "[::1]:0"); err == nil { // the system has IPv6
		l.Close()
		addresses = append(addresses, "::1")
	}
	for _, address := range addresses {
		c, err := quic.DialAddr(t.Context(), net.JoinHostPort(address, port), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, nil)
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		// Without a name the certificate is that of the address that was reached.
		if ips := c.ConnectionState().TLS.PeerCertificates[0].IPAddresses; len(ips) != 1 || ips[0].String() != address {
			t.Errorf("%s: a certificate for %v", address, ips)
		}
		c.CloseWithError(noError, "")
	}
}
