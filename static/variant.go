package static

import (
	"container/list"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// variant is a representation of an asset, ready to be sent: validators and
// header values made once, and the content if it is in memory. All but
// visited and held stays as it was made.
type variant struct {
	size     int64
	modified int64 // seconds since 1970; 0: unknown, so there is no Last-Modified
	body     []byte

	// What tells whether a file has changed while it is sent from the disk: see overwritten.
	written int64  // nanoseconds since 1970
	ends    uint64 // endsOf

	// Values of header fields; arrays, so that a slice of them costs nothing. "" is no field.
	etag         [1]string
	lastModified [1]string
	length       [1]string
	// former is the entity tag of what this has replaced: the same content in
	// the same coding, in other bytes. Who has that need not have it again.
	former [1]string

	// heads are what writers have made of heads, and keep as long as v is there.
	heads atomic.Value

	visited atomic.Bool   // asked for since memory last looked
	held    *list.Element // where memory keeps the body; memory's own
}

// newVariant makes the representation that a file is. body is its content,
// nil for one that stays on disk.
//
// Its entity tag is strong: a hash of the content where we have that, else the
// time of modification and the size, as Caddy writes them. To these, what
// tells a compressed file from the one beside it is added: tools give both the same time.
func newVariant(path string, at stamp, body []byte) *variant {
	v := &variant{size: at.size, body: body, written: at.modified}
	v.length[0] = strconv.FormatInt(at.size, 10)
	// Times of 0 and 1 are what reproducible builds and package managers
	// write: they say nothing. One in the future must not be sent (RFC 9110
	// section 8.8.2.1).
	dated := at.modified > int64(time.Second)
	if seconds := at.modified / int64(time.Second); dated && seconds <= time.Now().Unix() {
		v.modified = seconds
		v.lastModified[0] = time.Unix(seconds, 0).UTC().Format(http.TimeFormat)
	}
	switch {
	case body != nil:
		v.etag[0] = tagOf(body)
	case dated:
		v.etag[0] = `"` + strconv.FormatInt(at.modified, 36) + "-" + strconv.FormatInt(at.size, 36) + codingSuffix(path) + `"`
	}
	return v
}

// tagOf is the entity tag of a content.
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// withoutBody returns v as it is when its content is on disk only.
func (v *variant) withoutBody() *variant {
	return &variant{
		size: v.size, modified: v.modified,
		etag: v.etag, lastModified: v.lastModified, length: v.length, former: v.former,
	}
}

// send writes part of the content, from memory or else from file.
func (v *variant) send(w http.ResponseWriter, file *os.File, part span) {
	if v.body != nil {
		_, _ = w.Write(v.body[part.start:part.end()])
		return
	}
	sendFile(w, file, v, part)
}

// codingSuffix is what the name of a compressed file adds to its entity tag.
func codingSuffix(path string) string {
	for as, extension := range extensionOf {
		if strings.HasSuffix(path, extension) {
			return "-" + contentEncoding[as][0]
		}
	}
	return ""
}
