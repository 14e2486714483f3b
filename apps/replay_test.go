package apps

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// tally counts what is read of a body.
type tally struct {
	io.ReadCloser
	n *atomic.Int64
}

func (t tally) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.n.Add(int64(n))
	return n, err
}

// While a request waits for another instance, the reader of the try that failed
// may take more from the client than is kept to be sent again.
func TestABodyThatIsLostBetweenTwoTriesFailsItsRequestAlone(t *testing.T) {
	var second atomic.Int32
	dying := rawInstance(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		readHead(r)
		io.CopyN(io.Discard, r, replayLimit)
	})
	p := poolOf(dying)
	var read atomic.Int64
	s := listenHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = tally{r.Body, &read}
		p.ServeHTTP(w, r)
	}))
	c, r := dialRaw(t, s)
	sendRaw(t, c, "PUT / HTTP/1.1\nHost: h\nConnection: close\nContent-Length: %d\n\n", replayLimit+1000)
	sendRaw(t, c, "%s", strings.Repeat("x", replayLimit))
	eventually(t, "the first try has failed", func() bool { return dying.health.bad.Load() == badAnswer })
	p.publish(nil)
	eventually(t, "the request waits", func() bool { return p.waiting() == 1 })
	sendRaw(t, c, "%s", strings.Repeat("x", 1000))
	eventually(t, "the body is read", func() bool { return read.Load() == replayLimit+1000 })
	whole := counted(t, &second)
	p.publish([]*endpoint{whole})
	if head, err := readHead(r); !strings.HasPrefix(head, "HTTP/1.1 502 ") || err != nil {
		t.Errorf("%q, %v", head, err)
	}
	if status, text := ask(t, s, "PUT", "/", strings.NewReader("x")); status != 200 || text != "PUT 1 <nil>" {
		t.Errorf("%d %q", status, text)
	}
}

// A body that the client breaks off is no failure of the instance that has begun to answer.
func TestAClientCannotMakeAnInstanceCountAsBad(t *testing.T) {
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		rc.EnableFullDuplex()
		fmt.Fprint(w, "begun")
		rc.Flush()
		io.Copy(io.Discard, r.Body)
	})
	s := listenHost(t, poolOf(e))
	c, r := dialRaw(t, s)
	sendRaw(t, c, "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n1\nx\n")
	for begun := ""; begun != "begun"; {
		line, err := r.ReadString('\n')
		if begun = strings.TrimSpace(line); err != nil {
			t.Fatal(err)
		}
	}
	sendRaw(t, c, "nonsense\n")
	io.Copy(io.Discard, r)
	eventually(t, "nothing in flight", func() bool { return e.InFlight() == 0 })
	if bad := e.health.bad.Load(); bad != 0 {
		t.Errorf("the instance counts as bad by %d", bad)
	}
}
