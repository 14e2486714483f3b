package cli

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"roost/internal/httplint"
)

func TestAServedFolderIsNotOpenForWantOfAPassword(t *testing.T) {
	for _, set := range [][2]string{{"", ""}, {"ann", ""}, {"", "right"}} {
		t.Setenv("PM2_SERVE_PATH", t.TempDir())
		t.Setenv("PM2_SERVE_HOST", "127.0.0.1")
		t.Setenv("PM2_SERVE_PORT", "0")
		t.Setenv("PM2_SERVE_BASIC_AUTH", "true")
		t.Setenv("PM2_SERVE_BASIC_AUTH_USERNAME", set[0])
		t.Setenv("PM2_SERVE_BASIC_AUTH_PASSWORD", set[1])
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := ServeFolder(ended, io.Discard); err == nil || !strings.Contains(err.Error(), "without a user or a password") {
			t.Errorf("%q: %v", set, err)
		}
	}
	h := guarded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), "ann", "a:b")
	for credentials, want := range map[string]int{"ann a:b": 200, "ann a": 401, "bob a:b": 401, " ": 401, "": 401} {
		r := httptest.NewRequest("GET", "/", nil)
		if user, password, given := strings.Cut(credentials, " "); given {
			r.SetBasicAuth(user, password)
		}
		if w := httplint.Record(t, h, r); w.Code != want || (w.Header().Get("WWW-Authenticate") != "") != (want == 401) {
			t.Errorf("%q: %d", credentials, w.Code)
		}
	}
}
