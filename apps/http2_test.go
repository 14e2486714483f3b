package apps

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"roost/internal/httplint"
)

func TestHTTP2ClientsAreForwardedToo(t *testing.T) {
	broken := make(chan struct{})
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/echo":
			rc := http.NewResponseController(w)
			rc.EnableFullDuplex()
			w.Header().Set("Trailer", "X-Sum")
			rc.Flush()
			io.Copy(w, r.Body)
			w.Header().Set("X-Sum", "1")
		case "/cut":
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "hello")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/wait":
			w.WriteHeader(200)
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
			close(broken)
		default:
			fmt.Fprint(w, r.Proto, " ", r.Host, " ", r.Header.Get("X-Forwarded-Proto"), " ", r.Header.Get("X-Forwarded-For"), " ", r.Header.Get("Cookie"), r.Header.Get("Upgrade"))
		}
	})
	s := httptest.NewUnstartedServer(poolOf(e))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)

	r, _ := http.NewRequest("GET", s.URL+"/", nil)
	r.Host = "example.com"
	r.Header["Cookie"] = []string{"a=1; b=2"}
	res, err := httplint.Client(t, s).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.ProtoMajor != 2 || string(text) != "HTTP/1.1 example.com https 127.0.0.1 a=1; b=2" {
		t.Errorf("%s %q", res.Proto, text)
	}

	data := bytes.Repeat([]byte("0123456789"), 300<<10)
	res, err = httplint.Client(t, s).Post(s.URL+"/echo", "", opaqueReader{bytes.NewReader(data)})
	if err != nil {
		t.Fatal(err)
	}
	text, err = io.ReadAll(res.Body)
	res.Body.Close()
	if !bytes.Equal(text, data) || err != nil || res.Trailer.Get("X-Sum") != "1" {
		t.Errorf("%d bytes, %v, trailer %v", len(text), err, res.Trailer)
	}

	if res, err = httplint.Client(t, s).Get(s.URL + "/cut"); err != nil {
		t.Fatal(err)
	}
	text, err = io.ReadAll(res.Body)
	res.Body.Close()
	if err == nil || !strings.HasPrefix("hello", string(text)) {
		t.Errorf("%q without an error", text)
	}

	if res, err = httplint.Client(t, s).Get(s.URL + "/wait"); err != nil {
		t.Fatal(err)
	}
	res.Body.Close() // resets the stream
	within(t, "the instance's request is cancelled", broken)
	eventually(t, "nothing in flight", func() bool { return e.InFlight() == 0 })
}
