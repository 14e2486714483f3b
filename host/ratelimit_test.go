package host

import (
	"encoding/binary"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"roost/internal/unit"
)

func TestATokenComesBackInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTokenBuckets(3, 10*time.Second)
		take := func(want time.Duration) {
			t.Helper()
			if wait := b.take("client"); wait != want {
				t.Errorf("%v to wait, want %v", wait, want)
			}
		}
		take(0)
		take(0)
		take(0)
		take(10 * time.Second)
		time.Sleep(4 * time.Second)
		take(6 * time.Second)
		if wait := b.take("another"); wait != 0 {
			t.Errorf("another client waits %v", wait)
		}
		time.Sleep(6 * time.Second)
		take(0)
		take(10 * time.Second)
		b.putBack("client")
		take(0)
		time.Sleep(time.Hour) // full, and no fuller
		take(0)
		take(0)
		take(0)
		take(10 * time.Second)
	})
}

// TestAFloodOfAddressesTakesBoundedMemory has 200,000 clients; those whose
// time is over make room by themselves.
func TestAFloodOfAddressesTakesBoundedMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTokenBuckets(2, time.Hour)
		b.take("honest")
		b.take("honest")
		for i := range uint32(200_000) {
			if b.take(string(binary.BigEndian.AppendUint32(nil, i))) != 0 {
				t.Fatalf("client %d is held up by others", i)
			}
		}
		if n := len(b.full); n > maxBuckets {
			t.Errorf("%d buckets, more than %d", n, maxBuckets)
		}
		time.Sleep(2 * time.Hour)
		for i := range uint32(maxBuckets) {
			b.take(string(binary.BigEndian.AppendUint32([]byte("x"), i)))
		}
		if n := len(b.full); n > maxBuckets {
			t.Errorf("%d buckets after the flood", n)
		}
	})
}

func TestRequestsAreLimitedByClient(t *testing.T) {
	b := newBox(t)
	dir := b.folder(map[string]string{"index.html": "content"})
	limit := &RateLimit{Requests: 2, Per: unit.Duration(time.Hour), Burst: 4}
	c := Config{Host: Listen{TrustedProxies: []string{"127.0.0.1"}}, Sites: []Site{{
		Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: dir, Protection: Protection{RateLimit: limit}},
		Routes: []Route{
			{Path: "/same/", Target: Target{Root: dir}},
			{Path: "/own/", Target: Target{Root: dir, Protection: Protection{RateLimit: &RateLimit{Requests: 1, Per: unit.Duration(time.Hour)}}}},
			{Path: "/free/", Target: Target{Root: dir, Protection: Protection{RateLimit: &RateLimit{Switch: Switch{Off: true}}}}},
		},
	}}}
	b.settled(c)
	ask := func(client, path string, want int) {
		t.Helper()
		res := b.from(client, "GET", "http://localhost"+path)
		after, policy := res.Header.Get("Retry-After"), res.Header.Get("RateLimit-Policy")
		if res.StatusCode != want || (want == 429) != (after != "") {
			t.Errorf("%s asks for %s: %d, Retry-After %q", client, path, res.StatusCode, after)
		}
		if want == 429 && path == "/" && (after != "1800" && after != "1799" || policy != `"client";q=2;w=3600`) {
			t.Errorf("Retry-After %q, policy %q", after, policy)
		}
	}
	for _, path := range []string{"/", "/same/", "/missing", "/"} { // one count for all that has the site's limit
		ask("192.0.2.1", path, map[bool]int{true: 404, false: 200}[path == "/missing"])
	}
	ask("192.0.2.1", "/", 429)
	ask("192.0.2.1", "/same/", 429)
	ask("192.0.2.1", "/own/", 200)
	ask("192.0.2.1", "/own/", 429)
	ask("192.0.2.2", "/", 200)
	for i := range 6 {
		ask("192.0.2.1", "/free/", 200)
		ask(fmt.Sprintf("2001:db8::%d", i), "/", map[bool]int{true: 200, false: 429}[i < 4])
	}
	ask("2001:db8:0:1::1", "/", 200)

	c.Sites[0].SPA = true
	b.settled(c)
	ask("192.0.2.1", "/", 429) // what does not change is not forgotten
	limit.Burst = 5
	b.settled(c)
	ask("192.0.2.1", "/", 200)
	// A stranger cannot give itself other addresses.
	c.Host.TrustedProxies = nil
	b.settled(c)
	for i := range 5 {
		ask(fmt.Sprintf("198.51.100.%d", i), "/", 200)
	}
	ask("198.51.100.77", "/", 429)
}
