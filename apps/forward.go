package apps

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// hopByHop tells of the fields that concern one connection only (RFC 9110, section
// 7.6.1, with those of RFC 2616 that are still about), of requests and answers.
// TE is dealt with where requests are made.
func hopByHop(name string) bool {
	switch name {
	case "Connection", "Http2-Settings", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
		"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// notFromClients tells of request fields that say who asks and how: only we set
// them. "Proxy" is no field of HTTP; CGI-like apps would take it for the
// variable HTTP_PROXY (CVE-2016-5385).
func notFromClients(name string) bool {
	switch name {
	case "Forwarded", "Proxy", "X-Real-Ip", "X-Client-Subject":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded")
}

// framing tells of the fields that say where a message ends and where it goes; an
// alias of one, such as Content_Length, is what WSGI, Rack and PHP confuse with it.
func framing(name string) bool { return name == "Content-Length" || name == "Host" }

// fromClient reports whether a field that a client sent goes on to the app.
func fromClient(name string) bool {
	if !strings.ContainsAny(name, "_.") {
		return !hopByHop(name) && !notFromClients(name)
	}
	// An alias: many apps see the same field in X_Forwarded_For, some in X.Forwarded.For.
	plain := textproto.CanonicalMIMEHeaderKey(strings.NewReplacer("_", "-", ".", "-").Replace(name))
	return !framing(plain) && fromClient(plain)
}

// named appends the fields that a value of Connection names, canonical; they
// concern this connection only (RFC 9110, section 7.6.1). Mostly there are none.
func named(names []string, line string) []string {
	for name := range strings.SplitSeq(line, ",") {
		name = textproto.TrimString(name)
		switch {
		case name == "", strings.EqualFold(name, "close"), strings.EqualFold(name, "keep-alive"), strings.EqualFold(name, "upgrade"):
		default:
			names = append(names, textproto.CanonicalMIMEHeaderKey(name))
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

// appendHead appends the head that an app gets for r, which says that a body
// follows in chunks, if chunked, or as much as r has. ok is false when there is
// something in r that no request may have.
func appendHead(to []byte, r *http.Request, chunked bool) (_ []byte, ok bool) {
	target := r.URL.EscapedPath() // with the query as it came: what we think of it does not matter
	if target == "" {
		target = "/"
	}
	host := removeZone(r.Host)
	if host == "" {
		host = "localhost"
	}
	if !httpguts.ValidHeaderFieldName(r.Method) || !visible(target) || !visible(r.URL.RawQuery) {
		return to, false
	}
	to = append(append(append(to, r.Method...), ' '), target...)
	if r.URL.ForceQuery || r.URL.RawQuery != "" {
		to = append(append(to, '?'), r.URL.RawQuery...)
	}
	to = append(append(append(to, " HTTP/1.1\r\nHost: "...), host...), "\r\n"...)
	if to, ok = appendFields(to, r.Header); !ok {
		return to, false
	}
	if httpguts.HeaderValuesContainsToken(r.Header["Te"], "trailers") {
		to = append(to, "Te: trailers\r\n"...)
	}
	if wantsWebSocket(r) {
		to = append(to, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	}
	if r.TLS == nil {
		to = append(to, "X-Forwarded-Proto: http\r\n"...)
	} else {
		to = append(to, "X-Forwarded-Proto: https\r\n"...)
		if len(r.TLS.VerifiedChains) > 0 {
			to = appendField(to, "X-Client-Subject", subject(r.TLS.VerifiedChains[0][0]))
		}
	}
	if r.Host != "" {
		to = appendField(to, "X-Forwarded-Host", r.Host)
	}
	if ip := clientIP(r.RemoteAddr); ip.IsValid() {
		to = append(ip.AppendTo(append(to, "X-Forwarded-For: "...)), "\r\n"...)
		to = append(ip.AppendTo(append(to, "X-Real-Ip: "...)), "\r\n"...)
	}
	switch {
	case chunked:
		to = append(to, "Transfer-Encoding: chunked\r\n"...)
		if names := announced(r); len(names) > 0 {
			to = appendField(to, "Trailer", strings.Join(names, ", "))
		}
	case r.ContentLength > 0 || r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH":
		to = strconv.AppendInt(append(to, "Content-Length: "...), max(0, r.ContentLength), 10)
		to = append(to, "\r\n"...)
	}
	return append(to, "\r\n"...), true
}

// appendFields appends those of a client's fields that go on.
func appendFields(to []byte, h http.Header) (_ []byte, ok bool) {
	var drop []string
	for _, line := range h["Connection"] {
		drop = named(drop, line)
	}
	for name, values := range h {
		if framing(name) || !fromClient(name) || len(drop) > 0 && slices.Contains(drop, name) {
			continue
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return to, false
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return to, false
			}
			to = appendField(to, name, textproto.TrimString(v))
		}
	}
	return to, true
}

func appendField(to []byte, name, value string) []byte {
	to = append(append(to, name...), ": "...)
	return append(append(to, value...), "\r\n"...)
}

// announced are the trailer fields of r that go on, before r's body is read: of
// none that its head may not have, as some programs take them for it, and of
// none that nobody would expect.
func announced(r *http.Request) (names []string) {
	for name := range r.Trailer {
		if mayTrail(name) && fromClient(name) && httpguts.ValidHeaderFieldName(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// appendTrailer appends the fields of those names that followed a client's body.
func appendTrailer(to []byte, h http.Header, names []string) []byte {
	for _, name := range names {
		for _, v := range h[name] {
			if httpguts.ValidHeaderFieldValue(v) {
				to = appendField(to, name, textproto.TrimString(v))
			}
		}
	}
	return to
}

// visible tells whether s has nothing that ends a target or a line.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// removeZone takes the zone from an IPv6 address: it means something on one
// machine only (RFC 6874 section 1).
func removeZone(host string) string {
	if !strings.HasPrefix(host, "[") {
		return host
	}
	end := strings.LastIndexByte(host, ']')
	if zone := strings.LastIndexByte(host[:max(end, 0)], '%'); zone >= 0 {
		return host[:zone] + host[end:]
	}
	return host
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
// IPv4 as such; an invalid one when there is none, as with a Unix socket.
func clientIP(remote string) netip.Addr {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}
