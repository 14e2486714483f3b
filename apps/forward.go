package apps

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// hopByHop are the fields that concern one connection only (RFC 9110, section
// 7.6.1, with those of RFC 2616 that are still about), of requests and answers.
// TE is dealt with where requests are made.
var hopByHop = map[string]bool{
	"Connection":          true,
	"Http2-Settings":      true,
	"Keep-Alive":          true,
	"Proxy-Authenticate":  true,
	"Proxy-Authorization": true,
	"Proxy-Connection":    true,
	"Te":                  true,
	"Trailer":             true,
	"Transfer-Encoding":   true,
	"Upgrade":             true,
}

// notFromClients are request fields that say who asks and how: only we set
// them. "Proxy" is no field of HTTP; CGI-like apps would take it for the
// variable HTTP_PROXY (CVE-2016-5385).
var notFromClients = map[string]bool{
	"Forwarded":        true,
	"Proxy":            true,
	"X-Real-Ip":        true,
	"X-Client-Subject": true,
}

// framing are the fields that say where a message ends and where it goes; an
// alias of one, such as Content_Length, is what WSGI, Rack and PHP confuse with it.
var framing = map[string]bool{
	"Content-Length": true,
	"Host":           true,
}

// fromClient reports whether a field that a client sent goes on to the app.
func fromClient(name string) bool {
	if !strings.ContainsAny(name, "_.") {
		return !hopByHop[name] && !notFromClients[name] && !strings.HasPrefix(name, "X-Forwarded")
	}
	// An alias: many apps see the same field in X_Forwarded_For, some in X.Forwarded.For.
	plain := textproto.CanonicalMIMEHeaderKey(strings.NewReplacer("_", "-", ".", "-").Replace(name))
	return !framing[plain] && fromClient(plain)
}

// named returns the fields that Connection names, canonical; they concern this
// connection only (RFC 9110, section 7.6.1). Mostly there are none.
func named(h http.Header) (names []string) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			name = textproto.TrimString(name)
			switch {
			case name == "", strings.EqualFold(name, "close"), strings.EqualFold(name, "keep-alive"), strings.EqualFold(name, "upgrade"):
			default:
				names = append(names, textproto.CanonicalMIMEHeaderKey(name))
			}
		}
	}
	return names
}

// wantsWebSocket reports whether r asks to become a websocket (RFC 6455,
// section 4.1). Every other upgrade, h2c above all, is left out of what the app
// sees, so that the request is answered as it stands.
func wantsWebSocket(r *http.Request) bool {
	return r.ProtoMajor == 1 && r.Method == http.MethodGet && r.ContentLength == 0 &&
		len(r.Header["Upgrade"]) == 1 && strings.EqualFold(r.Header["Upgrade"][0], "websocket") &&
		httpguts.HeaderValuesContainsToken(r.Header["Connection"], "upgrade")
}

// Shared values of fields; nobody changes them.
var (
	noValue        = []string{""}
	valueHTTP      = []string{"http"}
	valueHTTPS     = []string{"https"}
	valueTrailers  = []string{"trailers"}
	valueUpgrade   = []string{"Upgrade"}
	valueWebSocket = []string{"websocket"}
)

// forward makes the request that an app gets for r, without a body. It shares
// with r what neither changes: the values of the fields, and the trailer,
// which is filled when r's body ends.
func forward(r *http.Request) *http.Request {
	h := make(http.Header, len(r.Header)+6)
	drop := named(r.Header)
fields:
	for name, values := range r.Header {
		if !fromClient(name) {
			continue
		}
		for _, d := range drop {
			if name == d {
				continue fields
			}
		}
		h[name] = values
	}
	if httpguts.HeaderValuesContainsToken(r.Header["Te"], "trailers") {
		h["Te"] = valueTrailers
	}
	if wantsWebSocket(r) {
		h["Connection"], h["Upgrade"] = valueUpgrade, valueWebSocket
	}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = noValue // or the transport names itself
	}

	h["X-Forwarded-Proto"] = valueHTTP
	if r.TLS != nil {
		h["X-Forwarded-Proto"] = valueHTTPS
	}
	if r.Host != "" {
		h["X-Forwarded-Host"] = []string{r.Host}
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		h["X-Client-Subject"] = []string{subject(r.TLS.VerifiedChains[0][0])}
	}
	if ip := clientIP(r.RemoteAddr); ip != "" {
		one := []string{ip}
		h["X-Forwarded-For"], h["X-Real-Ip"] = one, one
	}

	out := (&http.Request{
		Method:        r.Method,
		URL:           new(url.URL),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        h,
		Host:          r.Host,
		ContentLength: r.ContentLength,
		Trailer:       r.Trailer,
	})
	*out.URL = *r.URL // the query as it came: what we think of it does not matter
	out.URL.Scheme, out.URL.Host, out.URL.User, out.URL.Opaque = "http", "localhost", nil, ""
	return out
}

// subject is whom a client's certificate is for, as RFC 4514 writes it. Bytes
// that no field may have are escaped: whose CA signs what is not for us to say.
func subject(cert *x509.Certificate) string {
	text := []byte(nil)
	for _, b := range []byte(cert.Subject.String()) {
		if b < ' ' || b > '~' {
			text = fmt.Appendf(text, "\\%02X", b)
		} else {
			text = append(text, b)
		}
	}
	return string(text)
}

// clientIP returns the address in an address and port, without a zone and with
// IPv4 as such; "" when there is none, as with a Unix socket.
func clientIP(remote string) string {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	return a.Addr().Unmap().WithZone("").String()
}
