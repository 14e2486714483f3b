package host

import (
	"sync/atomic"

	"roost/host/express"
)

// A folder's answers to most requests for a file have one head, of which only
// the date differs. It is made once, by all who have a say in it, and kept
// beside the content, so that it goes when that goes. (To fill a map, walk it and
// sort it costs more than the rest of such an answer, but for system calls.)

// keptHead is such a head and all that it has come of beside the content. A
// content has a few of them: for plain HTTP and TLS, for each route.
type keptHead struct {
	headSource
	*express.Kept
	older *keptHead
}

// headSource is what a head comes of. Whoever has a say in heads is named here,
// or has none kept.
type headSource struct {
	status, kind int         // the folder's
	head         *answerHead // which itself never changes
	tls          bool
	altSvc       *[]string
}

const maxKept = 4 // of a content

// WriteKept writes the head that is kept at a place, and tells whether there is
// one. Else it is to be told the head as ever, and keeps it. It is one of the
// kinds that the folder tells apart, and comes of nothing else that the folder
// knows but the content of the place.
func (x *exchange) WriteKept(at *atomic.Value, status, kind int) bool {
	a, ok := x.ResponseWriter.(*express.Answer)
	fields := 0
	if x.altSvc != nil {
		fields = 1
	}
	if !ok || x.site == nil || x.site.rules.headers != nil || x.cors != nil || x.pace != nil || x.format.tellsAnswer || len(a.Header()) != fields {
		return false
	}
	source := headSource{status, kind, x.head, x.request.TLS != nil, x.altSvc}
	newest, _ := at.Load().(*keptHead)
	for k := newest; k != nil; k = k.older {
		if k.headSource == source {
			x.status = status
			a.WriteKept(k.Kept)
			return true
		}
	}
	x.keep = keeping(a, at, source)
	return false
}

// keeping returns what keeps the head that a is told, if that is of the
// source's status.
func keeping(a *express.Answer, at *atomic.Value, source headSource) func(told int) {
	return func(told int) {
		older, _ := at.Load().(*keptHead)
		n := 0
		for k := older; k != nil; k = k.older {
			n++
		}
		if n >= maxKept {
			older = nil
		}
		if head := a.Keep(); head != nil && told == source.status {
			at.Store(&keptHead{source, head, older})
		}
	}
}
