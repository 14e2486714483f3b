package host

import (
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"roost/tls"
)

// front answers the requests of all listeners.
type front struct {
	log    *slog.Logger
	access *accessLog
	// certs know what a connection's handshake was worth.
	certs *tls.Certs
	// middleware stands before the targets of sites that ask for it.
	middleware *echoes
	router     atomic.Pointer[router]
	// accessAll is whether requests for unknown domains go to the access log.
	accessAll atomic.Bool
	// trusted are the proxies that tell the client's address; nil: none.
	trusted atomic.Pointer[proxies]
	// httpsPort is where plain requests are sent; 0 when the box does not speak HTTPS.
	httpsPort func() int
	unknown   *figures                 // requests for domains that are nobody's
	ending    chan struct{}            // closed when the host ends: limits of bandwidth keep nobody then, and HTTP/1 is told to close
	altSvc    atomic.Pointer[[]string] // announces HTTP/3 (RFC 7838); nil while it is not listened for
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	on, _ := r.Context().Value(linkKey{}).(*link)
	if on == nil {
		on = &link{}
	}
	x := on.begin(w, r)
	x.format = f.access.format.Load()
	if x.link.setTLS != nil && r.TLS == nil {
		x.link.setTLS(r)
	}
	if x.link.guard != nil {
		x.link.guard.answering.Store(true)
	}
	x.link.member.begin()
	if x.link.streams > 0 {
		x.watchStream(x.link.streams)
	}
	if r.TLS != nil && r.ProtoMajor < 3 {
		if x.altSvc = f.altSvc.Load(); x.altSvc != nil {
			w.Header()["Alt-Svc"] = *x.altSvc
		}
	}
	if r.ProtoMajor == 1 && f.ends() && len(r.Header["Upgrade"]) == 0 {
		w.Header()["Connection"] = closing
	}
	sent := r.TLS
	if trusted := f.trusted.Load(); trusted != nil {
		trusted.reveal(r)
	}
	count := f.unknown
	x.domain = requestDomain(r.Host)
	router := f.router.Load()
	domain, named := router.find(x.domain)
	x.path = cleanPath(r.URL.Path)
	led := domain.lead(r, x.path)
	to := led.to
	if handOn(w, r, to != nil && to.app != nil) {
		on.member.end(x.start)
		on.end(x)
		return
	}
	x.routes, x.to = domain, to
	if domain != nil {
		from := &led.site.protection
		x.site = led.site
		if to != nil {
			x.app, from = to.name, &to.protection
		}
		x.head, x.pace = from.head, newPace(from.bandwidth, f.ending)
		count = x.site.figures
	}
	count.begin()
	if to != nil && to.app != nil {
		to.app.begin()
	}
	defer f.end(x, count, to)
	if status := refuse(r); status != 0 {
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", methods)
		}
		if r.ProtoMajor < 3 { // net/http makes GOAWAY of it for HTTP/2
			w.Header().Set("Connection", "close")
		}
		f.Error(x, r, status)
		return
	}
	if router.strict {
		if status, stale := f.refuseConnection(router, x, r, sent, named); status != 0 {
			if r.ProtoMajor == 1 || stale && r.ProtoMajor == 2 {
				w.Header().Set("Connection", "close")
			}
			f.Error(x, r, status)
			return
		}
	}
	f.answer(x, r, led, named)
}

var closing = []string{"close"}

// ends tells whether the host ends.
func (f *front) ends() bool {
	select {
	case <-f.ending:
		return true
	default:
		return false
	}
}

// answer leads a request to where its domain and path lead.
func (f *front) answer(x *exchange, r *http.Request, led way, named bool) {
	if r.TLS == nil && x.site != nil && x.site.redirects(x.domain, named) {
		if location := redirectHTTPS(r, f.httpsPort()); location != "" {
			redirect(x, location)
			return
		}
	}
	if x.site != nil && x.site.maintenance != nil {
		f.closed(x, r)
		return
	}
	if !admitted(x.site, led.first, r) || !admitted(x.site, led.to, r) {
		f.Error(x, r, http.StatusForbidden)
		return
	}
	if x.site != nil {
		if location := x.site.canonical(r, x.domain, named); location != "" {
			redirect(x, location)
			return
		}
	}
	to, path := led.to, led.path
	if path != x.path {
		r = rewritten(r, path)
	}
	switch {
	case led.redirect.Location != "":
		redirectWith(x, led.redirect.Status, led.redirect.Location)
	case to == nil || to.target == nil:
		f.Error(x, r, http.StatusNotFound)
	case to.slash && len(path) == len(to.prefix):
		redirect(x, addSlash(to.prefix, r))
	default:
		target := to.target
		if also := to.lookalike(path); also != nil {
			if !also.addresses.admit(clientAddr(r)) {
				f.Error(x, r, http.StatusForbidden)
				return
			}
			target, x.head, x.pace = also.target, also.head, newPace(slower(to.bandwidth, also.bandwidth), f.ending)
		}
		target.ServeHTTP(x, to.rewrite(r, path))
	}
}

// admitted says whether the address rules of where a request leads let it in.
// Paths that lead nowhere have those of the site.
func admitted(s *site, to *route, r *http.Request) bool {
	switch {
	case to != nil:
		return to.addresses == nil || to.addresses.admit(clientAddr(r))
	case s != nil:
		return s.addresses == nil || s.addresses.admit(clientAddr(r))
	}
	return true
}

// rewrite returns the request as the target is to see it. Its path is the one
// that the route was chosen by, wherever the one that was sent could be read
// as another: a folder and its prefix, or an app and its prefix, never
// disagree with the router about what was asked for.
func (to *route) rewrite(r *http.Request, path string) *http.Request {
	rewrite := path != r.URL.Path && (to.app == nil || hasDotSegments(r.URL.Path) || !strings.HasPrefix(r.URL.Path, to.prefix+"/"))
	if !rewrite && (!to.strip || to.prefix == "") {
		return r
	}
	seen := new(http.Request)
	*seen = *r
	seen.URL = new(url.URL)
	*seen.URL = *r.URL
	if rewrite {
		seen.URL.Path, seen.URL.RawPath = path, ""
	}
	if to.strip && to.prefix != "" {
		strip(seen.URL, to.prefix)
	}
	return seen
}

// strip takes prefix from a path that begins with it. Where the escaped form
// spells the prefix in another way, it is made anew.
func strip(u *url.URL, prefix string) {
	u.Path = u.Path[len(prefix):]
	if raw, ok := strings.CutPrefix(u.RawPath, prefix); ok && (raw == "" || raw[0] == '/') {
		u.RawPath = raw
	} else {
		u.RawPath = ""
	}
	if u.Path == "" {
		u.Path, u.RawPath = "/", ""
	}
}

// Error writes an error page of the site that the request is for. Folders and
// apps are given it as their way to answer with an error.
func (f *front) Error(w http.ResponseWriter, r *http.Request, status int) {
	folder := ""
	if x := exchangeOf(w); x != nil && x.site != nil {
		folder = x.site.errorPages
	}
	writeError(w, r, status, folder)
}

// end counts and logs a request, whichever way it ended.
func (f *front) end(x *exchange, count *figures, to *route) {
	failure := recover()
	if failure != nil && failure != http.ErrAbortHandler {
		f.log.Error("a request made the program panic", "host", x.request.Host, "path", x.request.URL.Path, "panic", failure, "stack", string(debug.Stack()))
		if x.status == 0 {
			f.Error(x, x.request, http.StatusInternalServerError)
			failure = nil
		}
	}
	x.unwatchStream()
	now := time.Now()
	x.link.member.end(now)
	took := now.Sub(x.start)
	switch {
	case x.status > 0:
	case failure == nil && x.request.Context().Err() == nil:
		x.WriteHeader(http.StatusOK) // net/http would
	default:
		x.status = statusAborted
	}
	status, bytes := x.status, x.sent()
	count.end(now, took, status, bytes)
	if to != nil && to.app != nil {
		to.app.end(now, took, status, bytes)
	}
	if x.site != nil && x.site.accessLog || x.site == nil && f.accessAll.Load() {
		f.access.add(x, took)
	}
	if failure != nil {
		panic(http.ErrAbortHandler) // what was begun cannot be finished: net/http cuts the connection
	}
	x.link.end(x)
}

// statusAborted stands in logs and figures for a request that ended before
// anything was answered, as in nginx.
const statusAborted = 499
