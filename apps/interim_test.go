package apps

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"roost/internal/http1"
	"roost/internal/httplint"
)

// hinting is an instance that says how long the content of its hints is.
func hinting(t *testing.T) *endpoint {
	return rawInstance(t, func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			if _, err := readHead(r); err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
}

func TestAClientOfHTTP10GetsNoInterimAnswer(t *testing.T) {
	c, r := dialRaw(t, listenHost(t, poolOf(hinting(t))))
	sendRaw(t, c, "GET / HTTP/1.0\nHost: h\n\n")
	all, err := io.ReadAll(r)
	if text := string(all); !strings.HasPrefix(text, "HTTP/1.0 200 OK\r\n") || strings.Contains(text, "Link") || !strings.HasSuffix(text, "\r\n\r\nok") || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

func TestAnInterimAnswerHasNoLength(t *testing.T) {
	s := httptest.NewUnstartedServer(poolOf(hinting(t)))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	r, _ := http.NewRequest("GET", s.URL, nil)
	hints := 0
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
		hints++
		if status != 103 || h.Get("Link") != "</a>" || h["Content-Length"] != nil {
			t.Errorf("%d %v", status, h)
		}
		return nil
	}}))
	res, err := httplint.Client(t, s).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); string(text) != "ok" || err != nil || hints != 1 || res.ProtoMajor != 2 {
		t.Errorf("%s %q, %v, %d hints", res.Proto, text, err, hints)
	}
}

// What an instance says ten thousand times is not copied ten thousand times.
func TestManyFieldsOfOneNameCostNoMoreThanThemselves(t *testing.T) {
	fields := make([]http1.Field, 10000)
	for i := range fields {
		fields[i] = http1.Field{Name: "X", Value: "y"}
	}
	h := http.Header{}
	if n := testing.AllocsPerRun(1, func() {
		clear(h)
		copyFields(h, fields)
	}); n > 100 || len(h["X"]) != len(fields) {
		t.Errorf("%v allocations for %d fields", n, len(h["X"]))
	}
}
