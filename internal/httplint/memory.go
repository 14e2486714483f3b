package httplint

import (
	"net/http"
	"sync"
)

// memory keeps what was said of each representation, told apart by its URL and
// entity tag, so that what is said of it later can be held against it: by HEAD,
// in a 304, of parts.
type memory struct {
	mu   sync.Mutex
	seen map[string]*kept
}

// kept is what GET of a representation was answered with.
type kept struct {
	length   int64 // of all of it; -1: not known
	encoding string
	header   http.Header
}

// repeated are the fields that a 304 or 206 has where the 200 had them (RFC
// 9110 sections 15.3.7 and 15.4.5).
var repeated = []string{"Cache-Control", "Content-Location", "Expires", "Vary", "Last-Modified"}

func (m *memory) check(a *answer) {
	tag := a.value("ETag")
	if !a.ours() || tag == "" || a.request == nil || a.request.URL == nil {
		return
	}
	now := &kept{length: a.length, encoding: a.value("Content-Encoding"), header: a.header.Clone()}
	if a.unpacked {
		now.encoding = "gzip"
	}
	key := a.request.Host + " " + a.request.URL.String() + " " + tag
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.seen[key]
	switch a.status {
	case http.StatusOK:
	case http.StatusPartialContent:
		c, ok := parseContentRange(a.value("Content-Range"))
		if now.length = -1; ok {
			now.length = c.size
		}
	case http.StatusNotModified:
		if before == nil {
			return
		}
		now.encoding = before.encoding
	default:
		return
	}
	if before == nil {
		if m.seen == nil {
			m.seen = map[string]*kept{}
		}
		if a.status == http.StatusOK {
			m.seen[key] = now
		}
		return
	}
	if now.length >= 0 && before.length >= 0 && now.length != before.length {
		a.say("%d bytes are said of ETag %s, before there were %d", now.length, tag, before.length)
	}
	if now.encoding != before.encoding {
		a.say("Content-Encoding %q and %q have the same ETag %s", now.encoding, before.encoding, tag)
	}
	if a.status == http.StatusOK && a.method == http.MethodHead {
		for name := range before.header {
			if a.header[name] == nil && name != "Connection" && name != "Content-Length" && !a.unpacked {
				a.say("HEAD has no %s, GET had", name)
			}
		}
		if before.length >= 0 && now.length < 0 && !a.unpacked {
			a.say("HEAD has no Content-Length, GET had %d", before.length)
		}
	}
	if a.status != http.StatusOK {
		for _, name := range repeated {
			if before.header[name] != nil && a.header[name] == nil {
				a.say("no %s on a %d, the 200 had it", name, a.status)
			}
		}
	}
	if a.status == http.StatusOK && before.length < 0 {
		before.length = now.length
	}
}
