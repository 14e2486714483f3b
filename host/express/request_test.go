package express

import (
	"bufio"
	"bytes"
	"context"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"roost/internal/http1"
)

// heads are requests that the lane reads, and some that it does not.
var heads = []string{
	"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
	"HEAD /a/b.css?x=1&y=%2f HTTP/1.1\r\nhost: example.com:8080\r\nAccept-Encoding: gzip, br\r\nuser-agent:  x  \r\n\r\n",
	"GET /? HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
	"GET /%C3%A9//..;x=(1) HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\nX-A: 1\r\nx-a: 2\r\nX-a:\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\nCache-Control: max-age=0\r\n\r\n",
	"GET /a?b?c HTTP/1.1\r\nHost: a_b\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n",
	"GET /\xc3\xa9?\xe9 HTTP/1.1\r\nHost: a\r\nCookie: \xe4=\"1\"\r\n\r\n",
	"GET //a HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\", W/\"y\"\r\nIf-None-Match: *\r\n\r\n",
	"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
	"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
	"GET / HTTP/1.1\nHost: a\n\n",
}

// FuzzRequest holds what the lane reads against http.ReadRequest: a request
// that it takes is the same there, and ends at the same byte.
func FuzzRequest(f *testing.F) {
	for _, head := range heads {
		f.Add([]byte(head))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > maxHead {
			return
		}
		mine, n := taken(raw)
		if mine == nil {
			return
		}
		in := bufio.NewReaderSize(bytes.NewReader(raw), maxHead)
		theirs, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("%q is no request to net/http: %v", raw, err)
		}
		if end := len(raw) - in.Buffered(); end != n {
			t.Fatalf("%q ends at %d, for net/http at %d", raw, n, end)
		}
		theirs.Header.Del("Host") // as the server does
		switch {
		case mine.Method != theirs.Method, mine.RequestURI != theirs.RequestURI, mine.Host != theirs.Host, mine.Proto != theirs.Proto,
			mine.Close != theirs.Close, mine.ContentLength != theirs.ContentLength, len(theirs.TransferEncoding) > 0,
			!reflect.DeepEqual(mine.URL, theirs.URL), !maps.EqualFunc(mine.Header, theirs.Header, func(a, b []string) bool { return reflect.DeepEqual(a, b) }):
			t.Fatalf("%q is\n%+v %+v, for net/http\n%+v %+v", raw, mine.Request, mine.URL, theirs, theirs.URL)
		}
	})
}

// taken is the request that raw begins with and where it ends, if the lane takes it.
func taken(raw []byte) (*request, int) {
	var f http1.Framing
	n, whole, err := f.Head(raw)
	if err != nil || !whole || f.InBody() {
		return nil, 0
	}
	var r request
	if !r.read(string(raw[:n]), blank(context.Background(), "192.0.2.1:1234")) {
		return nil, 0
	}
	return &r, n
}

func TestTheLaneTakesWhatItUnderstands(t *testing.T) {
	for i, head := range heads {
		if r, _ := taken([]byte(head)); (r != nil) != (i < 8) {
			t.Errorf("%q: taken %v", head, r != nil)
		}
	}
	lines := func(n int) []byte {
		return []byte("GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("a: b\r\n", n-1) + "\r\n")
	}
	if r, _ := taken(lines(maxLines)); r == nil {
		t.Errorf("%d lines are not taken", maxLines)
	}
	if r, _ := taken(lines(maxLines + 1)); r != nil {
		t.Errorf("%d lines are taken", maxLines+1)
	}
}

func TestReadingARequestAllocatesNothing(t *testing.T) {
	var r request
	of := blank(context.Background(), "192.0.2.1:1234")
	const head = "GET /style.css?v=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: x\r\naccept: */*\r\nAccept-Encoding: gzip, br\r\nIf-None-Match: \"x\"\r\n\r\n"
	raw := []byte(head)
	n := testing.AllocsPerRun(1000, func() {
		var f http1.Framing
		if end, whole, err := f.Head(raw); err != nil || !whole || end != len(raw) || !r.read(head, of) {
			t.Fatal("not read")
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
	if r.Header.Get("Accept") != "*/*" || r.URL.RawQuery != "v=1" {
		t.Errorf("%+v", r.Request)
	}
}
