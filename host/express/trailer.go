package express

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// trailing tells whether fields come behind the body.
func (a *Answer) trailing() bool {
	if len(a.trailers) > 0 {
		return true
	}
	for name := range a.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// trail appends these fields: those that were announced, and those that are
// marked as such (RFC 9110 section 6.5).
func (a *Answer) trail() {
	if !a.trailing() {
		return
	}
	trailer := http.Header{}
	for name, values := range a.header {
		if name, marked := strings.CutPrefix(name, http.TrailerPrefix); marked {
			trailer[name] = values
		}
	}
	for _, list := range a.trailers {
		for name := range strings.SplitSeq(list, ",") {
			if name = http.CanonicalHeaderKey(strings.TrimSpace(name)); httpguts.ValidTrailerHeader(name) {
				trailer[name] = append(trailer[name], a.header[name]...)
			}
		}
	}
	_ = trailer.Write((*appender)(&a.out))
}

// abort sends what there is of an answer that breaks off: no end.
func (a *Answer) abort() {
	if a.begun {
		a.flush()
	}
}
