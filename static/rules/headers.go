package rules

import (
	"net/http"
	"slices"
	"strings"
)

// Headers are rules about the header fields of answers, compiled. They never
// change; a nil pointer has no rules.
type Headers struct {
	rules []headerRule
}

// headerRule is what holds for the paths, and the hosts, that match.
type headerRule struct {
	host   *pattern // its labels as segments; nil: any
	path   pattern
	remove []string // canonical names
	set    []field
}

// field is a header field with a value.
type field struct {
	name   string   // canonical
	value  []piece  // for those with placeholders
	shared []string // for those without; never written to
}

// Apply makes h what the rules say for an answer with status to a request for
// path, decoded and clean. The first rule that names a field replaces what is
// in h; what others say of it is appended, and all that is said of Vary and
// Link, of which nothing becomes wrong by more. An error is never made one that
// caches keep, nor is its content called something else.
func (s *Headers) Apply(h http.Header, r *http.Request, path string, status int) {
	if s == nil {
		return
	}
	var room [16]string
	set := room[:0] // by a rule
	for i := range s.rules {
		rule := &s.rules[i]
		var v values
		if !rule.match(r, path, &v) {
			continue
		}
		for _, name := range rule.remove {
			if may(h, name, status) {
				delete(h, name)
			}
		}
		for j := range rule.set {
			f := &rule.set[j]
			switch {
			case !may(h, f.name, status):
			case f.name == "Vary" || f.name == "Link" || slices.Contains(set, f.name):
				f.add(h, &v)
			default:
				h[f.name] = f.values(&v)
				set = append(set, f.name)
			}
		}
	}
}

// Values are what the rules set a field to for a request, nil if nothing.
func (s *Headers) Values(r *http.Request, path, name string) []string {
	if s == nil {
		return nil
	}
	var all []string
	for i := range s.rules {
		rule := &s.rules[i]
		var v values
		if slices.Contains(rule.remove, name) && rule.match(r, path, &v) {
			all = nil
		}
		for j := range rule.set {
			if rule.set[j].name == name && rule.match(r, path, &v) {
				if all == nil {
					all = rule.set[j].values(&v)
				} else {
					all = append(all[:len(all):len(all)], rule.set[j].values(&v)...)
				}
			}
		}
	}
	return all
}

// may tells whether a rule has a say in a field of the answer with that head.
func may(h http.Header, name string, status int) bool {
	switch name {
	case "Cache-Control", "Expires", "Cdn-Cache-Control", "Surrogate-Control", "Pragma":
		return status < 400
	case "Content-Type": // of several ranges it says how they are parted
		return status < 300 && (status != http.StatusPartialContent || !strings.HasPrefix(h.Get(name), "multipart/"))
	case "Content-Disposition", "Content-Language", "Content-Location":
		return status < 300
	}
	return true
}

func (c *headerRule) match(r *http.Request, path string, v *values) bool {
	n := 0
	if c.host != nil {
		if !c.host.match(hostPath(hostname(r.Host)), v[:]) {
			return false
		}
		n = len(c.host.names)
	}
	return c.path.match(path, v[n:])
}

// hostPath writes the labels of a name as the segments of a path.
func hostPath(name string) string {
	return "/" + strings.ReplaceAll(strings.ToLower(name), ".", "/")
}

func (f *field) values(v *values) []string {
	if f.shared != nil {
		return f.shared
	}
	return []string{f.expand(v)}
}

func (f *field) expand(v *values) string {
	if f.shared != nil {
		return f.shared[0]
	}
	return string(appendPieces(nil, f.value, v, inField))
}

// add appends a value to those that h has.
func (f *field) add(h http.Header, v *values) {
	old, value := h[f.name], f.expand(v)
	switch {
	case len(old) == 0:
		h[f.name] = f.values(v)
	case f.name == "Set-Cookie": // the one that is no list, RFC 9110 section 5.3
		h[f.name] = append(old[:len(old):len(old)], value)
	default:
		h[f.name] = []string{strings.Join(old, ", ") + ", " + value}
	}
}

// newField compiles a header field of a rule.
func newField(name, value string, names []string) (f field, what, hint string) {
	if f.name, what, hint = fieldName(name); what != "" {
		return f, what, hint
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c >= 0x7f {
			return f, "the value of " + name + " has a character that no header field has", "write plain ASCII"
		}
	}
	if value == "" {
		return f, name + " has no value", "remove a field with: ! " + name
	}
	all := pieces(value, names, func(string) {}) // "https:", say
	if len(all) == 1 && all[0].text != "" {
		f.shared = []string{value}
	} else {
		f.value = all
	}
	return f, "", ""
}

const ownHint = "leave it out; it is always right"

// fieldName brings a name into the form of http.Header and refuses those that
// the server alone can know.
func fieldName(name string) (canonical, what, hint string) {
	if name == "" || strings.ContainsFunc(name, func(c rune) bool {
		return c >= 0x7f || !letter(byte(c)) && !digit(byte(c)) && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	}) {
		return "", "no header field is called " + name, "a name has letters, digits and hyphens"
	}
	canonical = http.CanonicalHeaderKey(name)
	switch canonical {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Content-Length", "Content-Encoding", "Content-Range", "Accept-Ranges", "Date", "Etag", "Last-Modified":
		return "", "the field " + name + " is the server's own", ownHint
	case "Location":
		return "", "the field " + name + " belongs to a redirect", "write a redirect"
	case "Basic-Auth":
		return "", "Basic-Auth would be sent to everyone and protect nothing", "protect the path with basic_auth in roost.toml"
	}
	return canonical, "", ""
}
