package host

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// answerHead is what the head of each answer of a target gets at the moment
// that it is written, when it is known what the folder or the app has said
// itself. (Echo's Secure speaks before the handler: an app's own field would
// stand beside it, and it cannot tell a page from a picture.)
type answerHead struct {
	secure  bool
	private bool     // nobody may keep answers for others
	hsts    []string // nil: not sent
}

// The values are shared by all answers; nobody changes them.
var (
	nosniff        = []string{"nosniff"}
	referrerPolicy = []string{"strict-origin-when-cross-origin"}
	// framing by others is what a page cannot forbid itself; X-Frame-Options says no more to any browser of the last years
	framePolicy = []string{"frame-ancestors 'self'"}
)

// shared are the directives that have shared caches keep what asks for a
// password in spite of it (RFC 9111 section 3.5), and the one that we put there.
var shared = regexp.MustCompile(`(?i)\b(?:public|private|s-maxage=[^,]*)(?:,\s*|$)`)

// newAnswerHead is nil when nothing is added.
func newAnswerHead(p Protection, folder bool) *answerHead {
	a := &answerHead{secure: folder, private: p.BasicAuth != nil}
	if p.SecurityHeaders != nil {
		a.secure = *p.SecurityHeaders
	}
	if p.HSTS != nil {
		a.hsts = []string{"max-age=" + strconv.FormatInt(int64(time.Duration(*p.HSTS)/time.Second), 10)}
	}
	if !a.secure && !a.private && a.hsts == nil {
		return nil
	}
	return a
}

// add completes the head of an answer.
func (a *answerHead) add(h http.Header, tls bool) {
	if a == nil {
		return
	}
	if a.secure {
		missing(h, "X-Content-Type-Options", nosniff)
		if kind := h["Content-Type"]; len(kind) > 0 && strings.HasPrefix(kind[0], "text/html") {
			missing(h, "Referrer-Policy", referrerPolicy)
			missing(h, "Content-Security-Policy", framePolicy)
		}
	}
	if a.hsts != nil && tls { // RFC 6797 section 7.2: never over plain HTTP
		missing(h, "Strict-Transport-Security", a.hsts)
	}
}

// seal keeps what asks for a password from caches that many share, whatever
// rules and apps say.
func (a *answerHead) seal(h http.Header) {
	if a == nil || !a.private {
		return
	}
	if said := h["Cache-Control"]; len(said) > 0 {
		rest := shared.ReplaceAllString(strings.Join(said, ", "), "")
		h["Cache-Control"] = []string{strings.TrimSuffix("private, "+rest, ", ")}
	}
}

func missing(h http.Header, name string, values []string) {
	if _, said := h[name]; !said {
		h[name] = values
	}
}
