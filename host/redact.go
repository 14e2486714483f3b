package host

import (
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"roost/internal/http1"
)

// LogRedaction says what the access log does not tell, in any format.
type LogRedaction struct {
	// Query are parameters of queries, compared without case, whose values are left out of targets, of URLs in header
	// fields, and of URLs within these: "token" is that of user[token] and user.token too.
	Query []string `toml:"query" json:"query,omitempty"`
	// Headers are fields whose values are left out, besides Authorization (and the users that URLs name),
	// Proxy-Authorization, Cookie and Set-Cookie.
	Headers []string `toml:"headers" json:"headers,omitempty"`
	// Except are those of these that are written all the same.
	Except []string `toml:"except" json:"except,omitempty"`
	// Clients masks addresses: IPv4 to 24 bits, IPv6 to 48. Fields in which proxies name the client are left out.
	Clients bool `toml:"clients" json:"clients,omitempty"`
}

// redacted stands in the place of what is left out.
const redacted = "REDACTED"

var (
	secretFields = []string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"}
	clientFields = []string{
		"Forwarded", "X-Forwarded-For", "X-Original-Forwarded-For", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip",
		"Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Cf-Pseudo-Ipv4", "Fastly-Client-Ip", "Fly-Client-Ip", "X-Azure-Clientip", "X-Envoy-External-Address",
	}
)

// redaction is a LogRedaction as lines need it.
type redaction struct {
	query  []string // in small letters
	fields []string // canonical
	users  bool     // of URLs
	mask   bool
}

func newRedaction(c *LogRedaction) redaction {
	if c == nil {
		c = &LogRedaction{}
	}
	r := redaction{mask: c.Clients, fields: slices.Clone(secretFields)}
	if c.Clients {
		r.fields = append(r.fields, clientFields...)
	}
	for _, name := range c.Headers {
		r.fields = append(r.fields, canonicalField(name))
	}
	for _, name := range c.Except {
		r.fields = slices.DeleteFunc(r.fields, func(field string) bool { return field == canonicalField(name) })
	}
	r.users = r.hidesField("Authorization")
	for _, name := range c.Query {
		r.query = append(r.query, strings.ToLower(name))
	}
	return r
}

// canonicalField is what a header field is called, written as there or as in a
// template ("x_key").
func canonicalField(name string) string {
	return textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(name, "_", "-"))
}

func (r *redaction) hidesField(name string) bool { return slices.Contains(r.fields, name) }

// appendClient writes the address of the client, masked where that is asked for.
func appendClient(b []byte, f *logFormat, it *logItem, x *exchange, _ time.Duration) []byte {
	if !f.mask {
		return it.stops.escape(b, clientAddress(x.request), f.json)
	}
	a, bits := clientAddr(x.request), 24
	if a.Is6() {
		bits = 48
	}
	if net, err := a.Prefix(bits); err == nil {
		b = net.Addr().AppendTo(b)
	}
	return b
}

// appendText writes a text that may hold a URL or, where query says so, is the
// query of one, without the user of that URL and the values of hidden
// parameters. Such a value ends with the next "&": rather too much is left out
// than a part of it told.
func (f *logFormat) appendText(b []byte, s string, stops *charset, query bool) []byte {
	if begin, end := userinfo(s); end > 0 && f.users && !query {
		b = append(stops.escape(b, s[:begin], f.json), redacted...)
		s = s[end:]
	}
	k := keyword{names: f.query, open: query}
	for i := 0; len(f.query) > 0 && i < len(s); {
		c, size := decoded(s[i:])
		if i += size; !k.ends(c, size > 1) {
			continue
		}
		b = append(stops.escape(b, s[:i], f.json), redacted...)
		next := strings.IndexByte(s[i:], '&')
		if next < 0 {
			return b
		}
		s, i = s[i+next:], 0
	}
	return stops.escape(b, s, f.json)
}

// userinfo is where the user and password in s, if it is a URL that has them,
// begin and end (RFC 3986 section 3.2.1); the end is 0 when it has not.
func userinfo(s string) (begin, end int) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || strings.ContainsAny(scheme, "/?#") {
		return 0, 0
	}
	if authority := strings.IndexAny(rest, "/?#"); authority >= 0 {
		rest = rest[:authority]
	}
	begin = len(scheme) + len("://")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		end = begin + at
	}
	return begin, end
}

// decoded is the character that s begins with and the bytes that it takes,
// however often it was encoded: a URL in a query is, and in its own another.
func decoded(s string) (c byte, size int) {
	if s[0] != '%' {
		return s[0], 1
	}
	size = 1
	for strings.HasPrefix(s[size:], "25") {
		size += 2
	}
	if len(s) < size+2 {
		return '%', 1
	}
	high, ok := http1.HexDigit(s[size])
	low, also := http1.HexDigit(s[size+1])
	if !ok || !also {
		return '%', 1
	}
	return byte(high<<4 | low), size + 2
}

const maxParameter = 64 // bytes of the name of a hidden parameter

// keyword reads queries a character at a time and finds names that are hidden:
// the whole, or one of the parts between brackets and dots.
type keyword struct {
	names  []string
	open   bool // a name is being read
	hidden bool // a part of it is
	part   [maxParameter]byte
	n      int // bytes of the part; more than there is room for are only counted
}

// ends takes a character and says whether a hidden name ends with it. One
// that was encoded may be of a URL within, or of the name: it is taken for both.
func (k *keyword) ends(c byte, encoded bool) bool {
	switch c {
	case '?', '&', ';', '#':
		k.hidden = k.hidden && encoded
		k.open, k.n = true, 0
	case '=', '[', ']', '.':
		k.hidden = k.open && (k.hidden || k.named())
		k.n = 0
		if c == '=' && k.open {
			k.open = encoded
			return k.hidden
		}
	default:
		if c == '+' {
			c = ' '
		}
		if k.n < len(k.part) {
			k.part[k.n] = http1.Lower(c)
		}
		k.n++
	}
	return false
}

func (k *keyword) named() bool {
	if k.n > len(k.part) {
		return false
	}
	for _, name := range k.names {
		if string(k.part[:k.n]) == name {
			return true
		}
	}
	return false
}

// redaction looks at what is to be left out of the access log.
func (v *validator) redaction(r LogRedaction, at place) {
	const key = "access_log_redact"
	for i, name := range r.Query {
		here := join(key, "query."+strconv.Itoa(i))
		switch {
		case name == "" || len(name) > maxParameter:
			v.report(at, here, fmt.Sprintf("%s: %q in query is no name of a parameter", key, name), fmt.Sprintf("want 1 to %d bytes", maxParameter))
		case strings.ContainsAny(name, "[]."):
			v.report(at, here, fmt.Sprintf("%s: %q in query is more than a name", key, name), "write one of its parts: token stands for user[token] and user.token too")
		case strings.ContainsAny(name, "%&;=?#+"):
			v.report(at, here, fmt.Sprintf("%s: %q in query is not as the name of a parameter is read", key, name), "write one name, decoded, without its value")
		}
	}
	known := newRedaction(&LogRedaction{Headers: r.Headers, Clients: true}).fields
	for _, list := range []struct {
		key   string
		names []string
	}{{"headers", r.Headers}, {"except", r.Except}} {
		for i, name := range list.names {
			here := join(key, list.key+"."+strconv.Itoa(i))
			switch {
			case !httpguts.ValidHeaderFieldName(name):
				v.report(at, here, fmt.Sprintf("%s: %q in %s is no name of a header field", key, name, list.key), "write one name for each, in quotes, with commas between")
			case list.key == "except" && !slices.Contains(known, canonicalField(name)):
				hint := didYouMean(name, known)
				if hint == "" {
					hint = "it is for those that are: " + strings.Join(secretFields, ", ")
				}
				v.report(at, here, fmt.Sprintf("%s: %q in except is not left out", key, name), hint)
			}
		}
	}
}
