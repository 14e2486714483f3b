package host

import (
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"roost/host/express"
)

// LogRedaction says what the access log does not tell, in any format.
type LogRedaction struct {
	// Query are parameters of queries, compared without case, whose values are left out of targets, and of URLs in
	// header fields: "token" is that of user[token] and user.token too.
	Query []string `toml:"query" json:"query,omitempty"`
	// Headers are fields whose values are left out, besides Authorization, Proxy-Authorization, Cookie and Set-Cookie.
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
	clientFields = []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip"}
)

// redaction is a LogRedaction as lines need it.
type redaction struct {
	query  []string // in small letters
	fields []string // canonical
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
		r.fields = append(r.fields, textproto.CanonicalMIMEHeaderKey(name))
	}
	for _, name := range c.Except {
		r.fields = slices.DeleteFunc(r.fields, func(field string) bool { return strings.EqualFold(field, name) })
	}
	for _, name := range c.Query {
		r.query = append(r.query, strings.ToLower(name))
	}
	return r
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

// appendText writes a text that may hold a query, or is one, without the values
// of hidden parameters. Such a value ends with the next "&": rather too much is
// left out than a part of it told.
func (f *logFormat) appendText(b []byte, s string, stops *charset, query bool) []byte {
	for i := 0; len(f.query) > 0 && i < len(s); {
		begin := i
		if !query {
			cut := strings.IndexAny(s[i:], "?&;#")
			if cut < 0 {
				break
			}
			begin += cut + 1
		}
		query = false
		key := s[begin:]
		if end := strings.IndexAny(key, "=?&;#"); end < 0 {
			break
		} else if i = begin + end; s[i] != '=' || !f.hidesParameter(key[:end]) {
			continue
		}
		b = append(stops.escape(b, s[:i+1], f.json), redacted...)
		next := strings.IndexByte(s[i:], '&')
		if next < 0 {
			return b
		}
		s, i = s[i+next:], 0
	}
	return stops.escape(b, s, f.json)
}

const maxParameter = 64 // bytes of the name of a hidden parameter

// hidesParameter looks at a name as it stands in a query: the whole, or one of
// its parts between brackets and dots.
func (r *redaction) hidesParameter(key string) bool {
	var part [maxParameter]byte
	n := 0
	for i := 0; ; i++ {
		if i >= len(key) {
			return r.named(part[:], n)
		}
		c := key[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(key):
			high, ok := express.HexDigit(key[i+1])
			low, also := express.HexDigit(key[i+2])
			if ok && also {
				c, i = byte(high<<4|low), i+2
			}
		}
		if c == '[' || c == ']' || c == '.' {
			if r.named(part[:], n) {
				return true
			}
			n = 0
			continue
		}
		if n < len(part) {
			part[n] = express.Lower(c)
		}
		n++
	}
}

func (r *redaction) named(part []byte, n int) bool {
	if n == 0 || n > len(part) {
		return false
	}
	for _, name := range r.query {
		if string(part[:n]) == name {
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
			case list.key == "except" && !slices.Contains(known, textproto.CanonicalMIMEHeaderKey(name)):
				hint := didYouMean(name, known)
				if hint == "" {
					hint = "it is for those that are: " + strings.Join(secretFields, ", ")
				}
				v.report(at, here, fmt.Sprintf("%s: %q in except is not left out", key, name), hint)
			}
		}
	}
}
