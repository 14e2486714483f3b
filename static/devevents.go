package static

import (
	"fmt"
	"net/http"
	"time"
)

const (
	devLook = 50 * time.Millisecond  // how often an open page's table is compared with the one that is now
	devRest = 250 * time.Millisecond // how long the folder must be as it is before pages hear of it,
	devMost = 2 * time.Second        // unless it has been changing for so long
	devBeat = 15 * time.Second       // what is silent for so long hears that the connection stands
)

// events tells a page what has become of the folder since the state that it
// shows, for as long as it listens: "style" when only style sheets have
// changed, else "reload". The state is the query's, or that of the last event
// heard (WHATWG HTML, section 9.2), so a page that was away hears of what it has missed.
//
// A build that writes many files comes to one event: those of the table come
// when files rest, and here the whole folder has to.
func (d *Dev) events(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"] = []string{"text/event-stream"}
	h["Cache-Control"] = noStore
	h["X-Content-Type-Options"] = nosniff
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	told, ok := parseState(r.Header.Get("Last-Event-ID"))
	if !ok {
		if told, ok = parseState(r.URL.RawQuery); !ok {
			told = d.now()
		}
	}
	out := http.NewResponseController(w)
	say := func(format string, args ...any) bool {
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && out.Flush() == nil
	}
	if !say("retry: 500\n\n") {
		return
	}
	look := time.NewTicker(devLook)
	defer look.Stop()
	var seen *table
	spoke := time.Now()
	var folder rest
	for {
		now, t := time.Now(), d.table.Load()
		if folder.comes(t != seen, now) {
			if is := d.now(); is != told {
				event := "reload"
				if is.pages == told.pages {
					event = "style"
				}
				if !say("event: %s\nid: %s\ndata:\n\n", event, is) {
					return
				}
				told, spoke = is, now
			}
		}
		seen = t
		if now.Sub(spoke) >= devBeat {
			if !say(":\n\n") {
				return
			}
			spoke = now
		}
		select {
		case <-look.C:
		case <-r.Context().Done():
			return
		}
	}
}

// rest finds the moments at which a folder that was changing has come to rest,
// or has been changing for so long that pages must not wait any longer.
type rest struct {
	begun, changed time.Time // zero: it rests
}

// comes is asked again and again, with what has happened since; it is true once for each time that the folder has changed.
func (r *rest) comes(changed bool, now time.Time) bool {
	if changed {
		r.changed = now
		if r.begun.IsZero() {
			r.begun = now
		}
	}
	if r.begun.IsZero() || now.Sub(r.changed) < devRest && now.Sub(r.begun) < devMost {
		return false
	}
	*r = rest{}
	return true
}
