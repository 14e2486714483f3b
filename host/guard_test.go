package host

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"

	"roost/internal/http1"
)

// FuzzFraming holds the framing against net/http's: of whatever bytes pass the
// guard, net/http must see no more requests than the guard has seen heads end,
// and none at another offset.
func FuzzFraming(f *testing.F) {
	for _, v := range readVectors(f) {
		if len(v.request) < 4096 {
			f.Add(append(v.request, next...))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 64<<10 {
			return
		}
		var whole http1.Framing
		n, refused := whole.Scan(raw)
		var single http1.Framing
		for i := range raw {
			if k, err := single.Scan(raw[i : i+1]); err != nil {
				if refused == nil || i != n || k != 0 || err != refused {
					t.Fatalf("byte by byte: %v at %d; at once: %v at %d", err, i, refused, n)
				}
				break
			}
		}
		if refused == nil && single != whole {
			t.Fatalf("states differ: %+v, %+v", single, whole)
		}
		// What passes must mean the same to net/http.
		passed := raw[:n]
		from := bytes.NewReader(passed)
		in := bufio.NewReader(from)
		var mine http1.Framing
		at := 0
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return // net/http may be stricter; it closes then
			}
			_, err = io.Copy(io.Discard, req.Body)
			if err != nil {
				return
			}
			if _, err := in.Peek(1); err != nil {
				return
			}
			end := len(passed) - in.Buffered() - from.Len()
			if _, err := mine.Scan(passed[at:end]); err != nil {
				t.Fatal(err)
			}
			at = end
			if !mine.Between() {
				t.Fatalf("net/http sees a message end at %d of %q, the guard sees %+v", end, passed, mine)
			}
		}
	})
}
