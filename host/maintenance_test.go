package host

import (
	"io"
	"strings"
	"testing"
	"time"

	"roost/internal/unit"
)

func TestAClosedSiteAnswersNothingElse(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	dir := b.folder(map[string]string{"index.html": "content", "404.html": "content"})
	c := Config{Sites: []Site{
		{Domains: []string{"closed.localhost"}, Maintenance: true, RetryAfter: unit.Duration(90 * time.Minute), ErrorPages: b.folder(map[string]string{"503.html": "we are painting"}),
			Target: Target{Root: dir}, Routes: []Route{{Path: "/api/", Target: Target{App: "web"}}, {Path: "/locked/", Target: Target{Root: dir, Protection: locked(t)}}}},
		{Domains: []string{"plain.localhost"}, Closed: true, RedirectHTTPS: no(), Target: Target{Root: dir}},
		{Domains: []string{"open.localhost"}, Target: Target{Root: dir}},
	}}
	testApp(t, &c, "web", "one", 1)
	b.settled(c)
	for _, http2 := range []bool{false, true} {
		for url, want := range map[string]struct {
			status int
			after  string
			page   string
		}{
			"https://closed.localhost/": {503, "5400", "we are painting"}, "https://closed.localhost/missing": {503, "5400", "we are painting"},
			"https://closed.localhost/api/": {503, "5400", "we are painting"}, "https://closed.localhost/locked/": {503, "5400", "we are painting"},
			"http://closed.localhost/": {308, "", ""}, "http://plain.localhost/": {503, "300", "<!doctype html>"}, "https://open.localhost/": {200, "", "content"},
		} {
			res, body := b.get(b.client(http2), url)
			if res.StatusCode != want.status || res.Header.Get("Retry-After") != want.after || !strings.HasPrefix(body, want.page) {
				t.Errorf("%s: %d, Retry-After %q, %q", url, res.StatusCode, res.Header.Get("Retry-After"), body)
			}
		}
	}
	for _, s := range b.Status().Sites {
		if s.Maintenance != (s.Name != "open.localhost") {
			t.Errorf("status of %s: maintenance %v", s.Name, s.Maintenance)
		}
	}
	wants(t, checked(t, "[[site]]\nroot = \"public\"\nmaintenance = \"yes\"\nretry_after = 5\n"),
		"roost.toml:3: maintenance wants true or false, not the text \"yes\": leave out the quotes",
		"roost.toml:4: site *: retry_after = 5ms is less than a second: write \"10m\" or the like; a plain number is milliseconds")
}

// TestACertificateIsHadForASiteThatNobodyMaySee has a CA ask a site that is
// closed, locked, limited and denied to all.
func TestACertificateIsHadForASiteThatNobodyMaySee(t *testing.T) {
	b := newBox(t)
	root := b.folder(map[string]string{"index.html": "content"})
	c := Config{Sites: []Site{{Domains: []string{"private.localhost"}, Target: Target{Root: root}}}}
	b.settled(c)
	port := func(kind string) int { return portOf(b.address(kind)) }
	directory, rootFile, _ := pebble(t, port("http"), port("https"))
	c.TLS.Issuer, c.TLS.CARoot = directory, rootFile
	lock := locked(t)
	lock.Deny, lock.RateLimit = []string{"0.0.0.0/0", "::/0"}, &RateLimit{Requests: 1, Per: unit.Duration(time.Hour)}
	c.Sites = append(c.Sites, Site{Domains: []string{"nobody.example"}, Maintenance: true, Target: Target{Root: root, Protection: lock}})
	b.settled(c)
	until(t, "a certificate of the CA", func() bool {
		for _, cert := range b.Status().Certificates {
			if cert.Name == "nobody.example" && cert.State == "valid" && cert.Issuer == directory {
				return true
			}
		}
		return false
	})
	res := b.from("", "GET", "http://nobody.example/.well-known/acme-challenge/unknown")
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 308 || len(body) > 0 {
		t.Errorf("an unknown challenge: %d %q", res.StatusCode, body)
	}
}
