package host

import (
	"strings"
	"testing"
	"time"

	"roost/internal/unit"
)

// TestNoSpellingOfAPathComesPastALimit has an app that takes "/LOGIN" for
// "/login", as Express does.
func TestNoSpellingOfAPathComesPastALimit(t *testing.T) {
	b := newBox(t)
	size := unit.Size(10)
	app := Target{App: "careless"}
	limit := func(n int) *RateLimit { return &RateLimit{Requests: n, Per: unit.Duration(24 * time.Hour)} }
	login := app
	login.RateLimit, login.MaxBody = limit(4), &size
	shared := app
	shared.RateLimit = limit(4) // three answers, and what is too large for /login itself
	c := Config{Sites: []Site{
		{Domains: []string{"login.localhost"}, RedirectHTTPS: no(), Target: app, Routes: []Route{{Path: "/login", Target: login}}},
		{Domains: []string{"denied.localhost"}, RedirectHTTPS: no(), Target: app, Routes: []Route{{Path: "/inner", Target: Target{App: "careless", Protection: Protection{Deny: []string{"127.0.0.1"}}}}}},
		{Domains: []string{"shared.localhost"}, RedirectHTTPS: no(), Target: shared, Routes: []Route{{Path: "/login", Target: Target{App: "careless", Protection: Protection{MaxBody: &size}}}}},
	}}
	testApp(t, &c, "careless", "careless", 1)
	b.settled(c)
	client := b.client(false)
	post := func(url, body string) int {
		res, err := client.Post(url, "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for _, path := range []string{"/login", "/LOGIN", "/login;x", "/%5clogin"} {
		if status := post("http://login.localhost"+path, "short"); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
	for _, path := range []string{"/login", "/LOGIN", "/Login/x", "/login;x", "/%5clogin"} {
		if status := post("http://login.localhost"+path, "short"); status != 429 {
			t.Errorf("%s once more: %d", path, status)
		}
	}
	if status := post("http://login.localhost"+"/else", "short"); status != 200 {
		t.Errorf("elsewhere: %d", status)
	}
	for path, want := range map[string]int{"/inner": 403, "/INNER/x": 403, "/inner;x": 403, "/outer": 200} {
		if status := post("http://denied.localhost"+path, "short"); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	// A limit of all the site counts once, and a body is as small.
	for _, path := range []string{"/login", "/LOGIN", "/LOGIN/x"} {
		if status := post("http://shared.localhost"+path, "more than ten bytes"); status != 413 {
			t.Errorf("%s: %d for what is too large", path, status)
		}
		if status := post("http://shared.localhost"+path, "short"); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status := post("http://shared.localhost"+"/LOGIN", "short"); status != 429 {
		t.Errorf("%d", status)
	}
}
