package host

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// What one request may cost, whoever sends it. RFC 9110 leaves all of these to
// the server.
const (
	maxHeader      = 16 << 10 // bytes of a head
	maxHeaderLines = 100
	maxTarget      = 8 << 10 // bytes of the request target
	maxStreams     = 128     // requests at a time on one HTTP/2 connection

	defaultHeaderTimeout   = 10 * time.Second
	defaultIdleTimeout     = 120 * time.Second
	defaultProgressTimeout = 60 * time.Second
)

// connectionLimits are those of the Config, in a process that may have so many
// files open. A request may take a second file, of an app's connection or of
// what it is answered with.
func (l Listen) connectionLimits(files int) *connectionLimits {
	limits := &connectionLimits{all: l.MaxConnections, client: l.MaxConnectionsPerClient}
	if limits.all == 0 {
		limits.all = min(files/2, 32768)
	}
	if limits.client == 0 {
		limits.client = max(limits.all/4, 100)
	}
	if trusted := l.trusted(); trusted != nil { // one connection of theirs may be anybody's
		limits.exempt = func(a netip.Addr) bool { return within(*trusted, a) }
	}
	return limits
}

// methods are those that a 405 of the host itself offers.
const methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

// refuse returns the status that a request is refused with before any site is
// asked; 0 when it is not. What is wrong with the raw bytes of HTTP/1 never
// comes here: see guard.
func refuse(r *http.Request) int {
	switch {
	case r.Method == http.MethodConnect, r.Method == http.MethodTrace:
		return http.StatusMethodNotAllowed // no tunnels; TRACE would show cookies to scripts
	case r.RequestURI == "*", r.Method == "PRI": // "OPTIONS *" is answered by net/http
		return http.StatusBadRequest
	case len(r.RequestURI) > maxTarget:
		return http.StatusRequestURITooLong
	case r.URL.Opaque != "", r.URL.User != nil, r.URL.Scheme != "" && r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return http.StatusBadRequest // RFC 9112 section 3.2.2: a path of ours, or where it is; RFC 9110 section 4.2.4: no users
	case strings.IndexByte(r.RequestURI, '#') >= 0: // RFC 9112 section 3.2: never sent
		return http.StatusBadRequest
	case strings.IndexByte(r.URL.Path, 0) >= 0:
		return http.StatusBadRequest
	case !validHost(r.Host):
		return http.StatusBadRequest
	case headerLines(r.Header) > maxHeaderLines:
		return http.StatusRequestHeaderFieldsTooLarge
	case r.ProtoMajor >= 2 && malformed(r):
		return http.StatusBadRequest
	}
	return 0
}

// malformed finds requests of HTTP/2 and HTTP/3 that could be read as another,
// or as two, by an app that is asked in HTTP/1.1 (RFC 9113 sections 8.1.1, 8.2.2
// and 8.3.1, RFC 9114 section 4). The libraries let them through: a space in the
// target, say, ends it where it is written in a line.
func malformed(r *http.Request) bool {
	length := r.Header["Content-Length"]
	switch {
	case connectionSpecific(r.Header), len(length) > 1:
		return true
	case len(length) == 1 && (length[0] == "" || r.ContentLength <= 0 && strings.Trim(length[0], "0") != ""): // of a body that is not there, or of none that can be
		return true
	case r.RequestURI == "" || r.RequestURI[0] != '/':
		return true
	}
	for _, host := range r.Header["Host"] {
		if !strings.EqualFold(host, r.Host) {
			return true
		}
	}
	return strings.ContainsFunc(r.RequestURI, func(c rune) bool { return c <= ' ' || c == 0x7f })
}

// connectionSpecific finds fields that are malformed over HTTP/2, where
// nothing but HTTP/2 itself frames messages (RFC 9113 section 8.2.2).
func connectionSpecific(h http.Header) bool {
	for _, name := range []string{"Connection", "Proxy-Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade"} {
		if _, ok := h[name]; ok {
			return true
		}
	}
	te, ok := h["Te"]
	return ok && (len(te) != 1 || te[0] != "trailers")
}

func headerLines(h http.Header) int {
	n := 1 // Host, or :authority
	for _, values := range h {
		n += len(values)
	}
	return n
}

// validHost allows what the host of a URI looks like (RFC 3986 section 3.2.2),
// so that it can stand in a Location and in a log. HTTP/1.0 may leave it out.
func validHost(host string) bool {
	for i := range len(host) {
		c := host[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '.', c == '-', c == '_', c == ':', c == '[', c == ']', c == '~', c == '%':
		default:
			return false
		}
	}
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		name, port = host[:i], host[i+1:]
	}
	if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
		name = strings.ReplaceAll(name[1:len(name)-1], ":", "")
	}
	return len(host) <= 300 && !strings.ContainsAny(name, "[:]") && len(port) <= 5 && strings.Trim(port, "0123456789") == ""
}
