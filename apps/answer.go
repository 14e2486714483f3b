package apps

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"roost/apps/upstream"
	"roost/internal/http1"
)

// headDelay is how long what has been written may wait for more before it is
// sent. It spares a packet where an answer's body follows its head closely,
// as it nearly always does.
const headDelay = 2 * time.Millisecond

// copyBody copies the content of a to w, whose head is written, and sees to it
// that the client gets at once what the app has sent: what is written is sent
// when nothing follows, or, where that is likely, nothing follows soon. read is
// how reading failed, nil at the end.
func copyBody(w http.ResponseWriter, a *upstream.Answer) (read, write error) {
	unsent, likely := true, !strings.HasPrefix(fieldOf(a.Head.Fields, "Content-Type"), "text/event-stream") // w has something to be sent; more is likely to come
	for {
		p, more, err := a.Next(0)
		if len(p) == 0 && err == nil && unsent {
			if likely {
				p, more, err = a.Next(headDelay)
			}
			if len(p) == 0 && err == nil {
				_ = http.NewResponseController(w).Flush() // an error shows at the next write
				unsent = false
			}
		}
		if len(p) == 0 && err == nil {
			p, more, err = a.Next(-1)
		}
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			_ = http.NewResponseController(w).Flush() // the client sees how far it came
			return err, nil
		}
		if _, err := w.Write(p); err != nil {
			return nil, err
		}
		unsent, likely = true, more
	}
}

// fieldOf returns the value of the first field of that name; "" if there is none.
func fieldOf(fields []http1.Field, name string) string {
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Value
		}
	}
	return ""
}

// copyFields adds to h the fields of an answer that are the client's.
func copyFields(h http.Header, fields []http1.Field) {
	var drop []string
	for _, f := range fields {
		if f.Name == "Connection" {
			drop = named(drop, f.Value)
		}
	}
	values := make([]string, len(fields)) // for good: writers of HTTP/2 and HTTP/3 may keep them
	for i, f := range fields {
		if hopByHop(f.Name) || len(drop) > 0 && slices.Contains(drop, f.Name) {
			continue
		}
		have := h[f.Name]
		if len(have) == 0 {
			values[i] = f.Value
			h[f.Name] = values[i : i+1 : i+1]
		} else {
			h[f.Name] = append(have, f.Value)
		}
	}
}

// announceTrailer names to the client the trailer fields that a promises, and returns them.
func announceTrailer(h http.Header, a *http1.Answer) (names []string) {
	if !a.Chunked {
		return nil
	}
	for _, f := range a.Fields {
		if f.Name != "Trailer" {
			continue
		}
		for name := range strings.SplitSeq(f.Value, ",") {
			if name = http.CanonicalHeaderKey(strings.TrimSpace(name)); mayTrail(name) {
				names = append(names, name)
			}
		}
	}
	if len(names) > 0 {
		h.Add("Trailer", strings.Join(names, ", "))
	}
	return names
}

// copyTrailer sends the trailer fields of a, which are known when its content
// has been read. announced were named in the head.
func copyTrailer(w http.ResponseWriter, a *upstream.Answer, announced []string) {
	fields := a.Trailer()
	if len(fields) == 0 && len(announced) == 0 {
		return
	}
	_ = http.NewResponseController(w).Flush() // or net/http counts a short body and sends no trailer
	h := w.Header()
	for _, name := range announced {
		delete(h, name)
	}
	for _, f := range fields {
		switch {
		case !mayTrail(f.Name):
		case slices.Contains(announced, f.Name):
			h.Add(f.Name, f.Value)
		default:
			h.Add(http.TrailerPrefix+f.Name, f.Value)
		}
	}
}

// mayTrail tells whether a field may stand in a trailer (RFC 9110 section 6.5.1).
func mayTrail(name string) bool { return name != "" && !framing(name) && !hopByHop(name) }
