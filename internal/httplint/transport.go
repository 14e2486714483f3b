package httplint

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Transport checks every answer that an http.Client gets, and fails T with what
// it finds: of the head at once, of the body when it has been read.
type Transport struct {
	// T is the test; nil has Run tell what was found.
	T testing.TB
	// Base sends the requests; nil means http.DefaultTransport.
	Base http.RoundTripper
	// Apps says that all answers are made by apps.
	Apps bool

	memory memory
}

// RoundTrip is http.RoundTripper's.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.base().RoundTrip(req)
	if err != nil {
		return nil, err
	}
	asked := *req
	if asked.Host == "" {
		asked.Host = req.URL.Host
	}
	asked.Proto = "" // http.NewRequest says HTTP/1.1 whatever is spoken
	a := newAnswer(res, &asked)
	a.fromApp = a.fromApp || t.Apps
	a.checkHead()
	t.memory.check(a)
	report(t.T, a)
	if a.status != http.StatusSwitchingProtocols {
		res.Body = &body{ReadCloser: res.Body, a: a, t: t.T, keep: a.keeps()}
	}
	return res, nil
}

// CloseIdleConnections is for http.Client.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *Transport) base() http.RoundTripper {
	if t.Base != nil {
		return t.Base
	}
	if checked, ok := http.DefaultTransport.(*Transport); ok { // Run put it there
		return checked.Base
	}
	return http.DefaultTransport
}

// Client is the client of a test's server, with all that it gets checked.
func Client(t testing.TB, s *httptest.Server) *http.Client {
	c := *s.Client()
	c.Transport = &Transport{T: t, Base: c.Transport}
	return &c
}

// body is read by the test; at its end it is checked.
type body struct {
	io.ReadCloser
	a    *answer
	t    testing.TB
	keep bool
	done bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.done {
		return n, err
	}
	b.a.size += int64(n)
	if b.keep {
		if b.a.body = append(b.a.body, p[:n]...); len(b.a.body) > mostKept {
			b.keep, b.a.body = false, nil
		}
	}
	if err == io.EOF {
		b.done = true
		b.a.checkBody()
		report(b.t, b.a)
	}
	return n, err
}
