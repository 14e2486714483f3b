package host

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"roost/static"
	"roost/tls"
)

// redirectHTTPS is where a plain request is sent: the same host and the same
// target, on the port where the box speaks HTTPS. It is empty when there is
// nowhere to send it.
func redirectHTTPS(r *http.Request, port int) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if host == "" || port == 0 {
		return ""
	}
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return ""
		}
		host = "[" + host + "]"
	}
	if port != 443 {
		host += ":" + strconv.Itoa(port)
	}
	return "https://" + host + requestTarget(r)
}

// requestTarget is the path and query as the client wrote them, never
// beginning with two slashes that a browser could take for a host.
func requestTarget(r *http.Request) string {
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		path += "?" + static.Query(r.URL.RawQuery)
	}
	return path
}

// redirects says whether plain requests for name belong on HTTPS: when a
// certificate for the name is to be had. Names that nobody listed have one
// only from the internal CA, or on demand.
func (s *site) redirects(name string, named bool) bool {
	return s.redirect && (named || tls.Internal(name) || s.onDemand && tls.Public(name))
}

// addSlash is where a request for the bare prefix of a route is sent, which is
// one of ours and begins with one slash.
func addSlash(prefix string, r *http.Request) string {
	to := (&url.URL{Path: prefix + "/"}).EscapedPath()
	if r.URL.RawQuery != "" {
		to += "?" + static.Query(r.URL.RawQuery)
	}
	return to
}

// redirect answers 308, which keeps the method (RFC 9110 section 15.4.9).
func redirect(w http.ResponseWriter, to string) {
	redirectWith(w, http.StatusPermanentRedirect, to)
}

func redirectWith(w http.ResponseWriter, status int, to string) {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Content-Length", "0")
	w.WriteHeader(status)
}
