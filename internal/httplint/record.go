package httplint

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Record has h answer r, checks the answer and returns it.
func Record(t testing.TB, h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	Recorded(t, w, r)
	return w
}

// Recorded checks what a handler has answered r with.
func Recorded(t testing.TB, w *httptest.ResponseRecorder, r *http.Request) {
	t.Helper()
	a := newAnswer(w.Result(), r)
	a.bare = true
	a.size, a.body = int64(w.Body.Len()), w.Body.Bytes()
	a.checkHead()
	if a.status != http.StatusSwitchingProtocols {
		a.checkBody()
	}
	report(t, a)
}
