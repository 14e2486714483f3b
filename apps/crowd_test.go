package apps

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"roost/internal/httplint"
)

// crowdInstance answers in many ways, each time with the letter that it was asked with.
func crowdInstance(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		letter := r.URL.Query().Get("letter")
		if r.Header.Get("X-Letter") != letter {
			t.Errorf("asked for %q with the head of %q", letter, r.Header.Get("X-Letter"))
		}
		rc := http.NewResponseController(w)
		switch r.URL.Path {
		case "/early":
			_ = rc.EnableFullDuplex()
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			_, _ = io.WriteString(w, letter)
			return
		case "/half":
			_ = rc.EnableFullDuplex()
			_, _ = io.CopyN(io.Discard, r.Body, 1000)
			_, _ = io.WriteString(w, letter)
			return
		case "/hints":
			for range 3 {
				w.Header().Add("X-Hint", letter)
				w.WriteHeader(http.StatusEarlyHints)
			}
		case "/chunks":
			for range 20 {
				_, _ = io.WriteString(w, letter)
				_ = rc.Flush()
			}
			return
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/nothing":
			w.WriteHeader(http.StatusNoContent)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err == nil && (fmt.Sprint(len(body)) != r.Header.Get("X-Length") || strings.Trim(string(body), letter) != "") {
			t.Errorf("%s: a body of %d bytes, not %s: %.50q", r.URL, len(body), r.Header.Get("X-Length"), body)
		}
		_, _ = io.WriteString(w, letter+strings.Repeat(letter, len(body)/20))
	}
}

// TestNoClientOfACrowdGetsWhatIsAnothers asks in many ways at once, over
// HTTP/1.1 and HTTP/2, and leaves in the middle of every sixth.
func TestNoClientOfACrowdGetsWhatIsAnothers(t *testing.T) {
	t.Parallel()
	a, b := runInstance(t, crowdInstance(t)), serveInstance(t, listenTCP(t), crowdInstance(t))
	p := poolOf(a, b)
	two := httptest.NewUnstartedServer(p)
	two.EnableHTTP2 = true
	two.StartTLS()
	t.Cleanup(two.Close)
	hosts := []*httptest.Server{listenHost(t, p), two}
	paths := []string{"/early", "/half", "/hints", "/hints", "/chunks", "/abort", "/nothing", "/", "/", "/"}
	var asking sync.WaitGroup
	for i := range 16 {
		host := hosts[i%2]
		client := httplint.Client(t, host)
		asking.Go(func() {
			for range 40 {
				letter := string(rune('a' + rand.IntN(26)))
				method, path := []string{"GET", "HEAD", "PUT", "POST"}[rand.IntN(4)], paths[rand.IntN(len(paths))]
				var body io.Reader
				size := 0
				if method[0] == 'P' {
					size = []int{0, 10, smallBody, smallBody + 1, replayLimit + 1, 300_000}[rand.IntN(6)]
					if body = strings.NewReader(strings.Repeat(letter, size)); rand.IntN(3) == 0 {
						body = opaqueReader{body}
					}
				}
				ctx, leave := context.WithCancel(context.Background())
				soon := time.AfterFunc(time.Hour, leave)
				if rand.IntN(6) == 0 {
					soon.Reset(time.Duration(rand.IntN(5000)) * time.Microsecond)
				}
				r, _ := http.NewRequestWithContext(ctx, method, host.URL+path+"?letter="+letter, body)
				r.Header.Set("X-Letter", letter)
				r.Header.Set("X-Length", fmt.Sprint(size))
				if rand.IntN(5) == 0 {
					r.Header.Set("Expect", "100-continue")
				}
				if res, err := client.Do(r); err == nil {
					text, _ := io.ReadAll(res.Body)
					res.Body.Close()
					if res.StatusCode == http.StatusBadRequest || res.StatusCode < 500 && strings.Trim(string(text), letter) != "" {
						t.Errorf("%s %s asked with %q: %d, %.80q", method, path, letter, res.StatusCode, text)
					}
				}
				soon.Stop()
				leave()
			}
		})
	}
	asking.Wait()
	eventually(t, "nothing is in flight", func() bool { return a.InFlight() == 0 && b.InFlight() == 0 })
}
