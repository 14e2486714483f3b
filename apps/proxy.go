package apps

import (
	"net/http"
	"net/http/httputil"
)

// ServeHTTP forwards a request to a ready instance.
func (p *pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for {
		s := p.now.Load()
		for _, e := range s.ready {
			if !e.acquire() {
				continue
			}
			defer e.release()
			(&httputil.ReverseProxy{
				Transport: e.transport,
				Rewrite: func(pr *httputil.ProxyRequest) {
					pr.Out.URL.Scheme, pr.Out.URL.Host = "http", "app"
					pr.SetXForwarded()
				},
			}).ServeHTTP(w, r)
			return
		}
		if s.refused != "" {
			http.Error(w, s.refused, http.StatusServiceUnavailable)
			return
		}
		select {
		case <-s.changed:
		case <-r.Context().Done():
			return
		}
	}
}
