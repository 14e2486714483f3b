package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"roost/internal/testca"
	"roost/internal/testredis"
)

func TestAServerIsSpokenToOverTLS(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t, "--requirepass", "right")
	ca := testca.New(t, "Redis")
	pair, err := tls.X509KeyPair(ca.Site(nil, "localhost"))
	if err != nil {
		t.Fatal(err)
	}
	front, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { front.Close(); <-ended })
	go func() {
		defer close(ended)
		for {
			conn, err := front.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				behind, err := net.Dial("unix", server.Socket)
				if err != nil {
					return
				}
				defer behind.Close()
				go func() { io.Copy(conn, behind); conn.Close() }()
				io.Copy(behind, conn)
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(front.Addr().String())
	url := "rediss://:right@127.0.0.1:" + port + "/1"
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.RootPEM())
	for what, o := range map[string]Options{"unknown root": {URL: url}, "another name": {URL: url, Roots: roots}} {
		err := box(t, o).Store(t.Context(), "a", nil)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Text, "cannot be trusted") || !strings.Contains(e.Hint, "ca_root") {
			t.Errorf("%s: %v", what, err)
		}
	}
	s := box(t, Options{URL: strings.Replace(url, "127.0.0.1", "localhost", 1), Roots: roots})
	if err := s.Store(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(t.Context(), "a"); string(got) != "x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	plain := box(t, Options{URL: "redis://127.0.0.1:" + port})
	var e *Error
	if err := plain.Store(t.Context(), "a", nil); !errors.As(err, &e) || !strings.Contains(e.Hint, "rediss") {
		t.Errorf("without TLS: %v, %+v", err, e)
	}
}
