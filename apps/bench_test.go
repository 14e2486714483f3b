package apps

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// Figures in nanoseconds and allocations a request, one client connection each
// for GOMAXPROCS clients, with the instance and the client in the same process:
//
//	go test -run - -bench Forward -benchmem ./apps
func BenchmarkForward(b *testing.B) {
	body := strings.Repeat("x", 1000)
	instance := func(b *testing.B) net.Listener {
		l := listenUnix(b)
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			if r.URL.Path == "/chunked" {
				w.WriteHeader(200)
				io.WriteString(w, body)
				http.NewResponseController(w).Flush()
				return
			}
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, body)
		})}
		go s.Serve(l)
		b.Cleanup(func() { s.Close() })
		return l
	}
	front := map[string]func(b *testing.B) http.Handler{
		"pool": func(b *testing.B) http.Handler { return poolOf(endpointOf(b, instance(b))) },
		"sticky": func(b *testing.B) http.Handler {
			p := poolOf(endpointOf(b, instance(b)))
			p.stick(stickyCookie, "web")
			return p
		},
		"httputil": func(b *testing.B) http.Handler {
			l := instance(b)
			return &httputil.ReverseProxy{
				Rewrite: func(r *httputil.ProxyRequest) {
					r.SetURL(&url.URL{Scheme: "http", Host: "app"})
					r.Out.Host = r.In.Host
					r.SetXForwarded()
				},
				FlushInterval: -1,
				ErrorLog:      log.New(io.Discard, "", 0),
				Transport: &http.Transport{
					DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
						return (&net.Dialer{}).DialContext(ctx, "unix", l.Addr().String())
					},
					MaxIdleConnsPerHost: 1024,
					DisableCompression:  true,
				},
			}
		},
		"none": func(b *testing.B) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "1000")
				io.WriteString(w, body)
			})
		},
	}
	for _, path := range []string{"/counted", "/chunked"} {
		for _, name := range []string{"none", "httputil", "pool", "sticky"} {
			b.Run(name+path, func(b *testing.B) {
				s := httptest.NewServer(front[name](b))
				defer s.Close()
				request := "GET " + path + " HTTP/1.1\r\nHost: example.com\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Language: en\r\nCookie: a=b; roost_web=" + newStickiness(stickyCookie, "web").token(0) + "\r\n\r\n"
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					c, r := dialRaw(b, s)
					c.SetDeadline(noDeadline)
					for pb.Next() {
						io.WriteString(c, request)
						res, err := http.ReadResponse(r, nil)
						if err != nil {
							b.Error(err)
							return
						}
						io.Copy(io.Discard, res.Body)
						if res.StatusCode != 200 {
							b.Error(res.Status)
							return
						}
					}
				})
			})
		}
	}
}
