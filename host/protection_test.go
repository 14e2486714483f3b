package host

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roost/internal/unit"
)

// checked is the problems of a config file in a folder with public/ and errors/.
func checked(t *testing.T, text string) []string {
	t.Helper()
	dir := folderWith(t, "public/", "errors/")
	_, problems := Check(filepath.Join(dir, "roost.toml"), []byte(text), "")
	return problemLines(dir, problems)
}

// wants compares problems with what is wanted, line by line.
func wants(t *testing.T, got []string, want ...string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "", ""
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("problem %d:\n got %s\nwant %s", i, g, w)
		}
	}
}

// from is a client that a trusted proxy speaks for.
func (b *box) from(client, method, url string, fields ...string) *http.Response {
	b.t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if client != "" {
		r.Header.Set("X-Forwarded-For", client)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	res, err := b.client(false).Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { res.Body.Close() })
	return res
}

func TestTheClientIsWhomTrustedProxiesTell(t *testing.T) {
	trusted := proxies(networks([]string{"127.0.0.0/8", "10.0.0.0/8", "2001:db8::/32", "::ffff:192.0.2.0/120"}))
	for _, test := range []struct {
		remote    string
		forwarded []string
		proto     string
		want      string
		https     bool
	}{
		{"203.0.113.9:5", []string{"1.2.3.4"}, "https", "203.0.113.9:5", false}, // a stranger says so
		{"127.0.0.1:5", nil, "", "127.0.0.1:5", false},
		{"127.0.0.1:5", []string{"1.2.3.4"}, "https", "1.2.3.4:0", true},
		{"127.0.0.1:5", []string{"6.6.6.6, 1.2.3.4"}, "HTTPS", "1.2.3.4:0", true},             // the left one is made up
		{"127.0.0.1:5", []string{"6.6.6.6", "1.2.3.4, 10.1.2.3"}, "http", "1.2.3.4:0", false}, // over two lines, two proxies
		{"127.0.0.1:5", []string{"6.6.6.6", "10.1.2.3"}, "http, https", "6.6.6.6:0", true},
		{"127.0.0.1:5", []string{"6.6.6.6, unknown, 10.1.2.3"}, "https, http", "10.1.2.3:0", false},
		{"127.0.0.1:5", []string{"6.6.6.6, _hidden"}, "", "127.0.0.1:5", false},
		{"127.0.0.1:5", []string{""}, "ftp", "127.0.0.1:5", false},
		{"127.0.0.1:5", []string{"10.1.1.1, 10.2.2.2"}, "", "10.1.1.1:0", false}, // proxies all the way
		{"127.0.0.1:5", []string{"1.2.3.4:567"}, "", "1.2.3.4:0", false},
		{"[2001:db8::7]:5", []string{"[2001:db9::1]:567"}, "", "[2001:db9::1]:0", false},
		{"[2001:db8::7%eth0]:5", []string{"::ffff:1.2.3.4"}, "", "1.2.3.4:0", false},
		{"192.0.2.200:5", []string{"fe80::1%eth0"}, "", "[fe80::1]:0", false},
		{"192.0.3.200:5", []string{"1.2.3.4"}, "", "192.0.3.200:5", false},
		{"@", []string{"1.2.3.4"}, "https", "@", false}, // no address: a Unix socket
	} {
		r := &http.Request{RemoteAddr: test.remote, Header: http.Header{"X-Forwarded-For": test.forwarded}}
		if test.proto != "" {
			r.Header.Set("X-Forwarded-Proto", test.proto)
		}
		trusted.reveal(r)
		if r.RemoteAddr != test.want || (r.TLS != nil) != test.https {
			t.Errorf("%s, %q, %q: %s, https %v", test.remote, test.forwarded, test.proto, r.RemoteAddr, r.TLS != nil)
		}
	}
	r := &http.Request{RemoteAddr: "10.0.0.1:5", TLS: &tls.ConnectionState{}, Header: http.Header{"X-Forwarded-Proto": {"http"}}}
	if trusted.reveal(r); r.TLS != nil {
		t.Error("a client that came by HTTP to a proxy counts as one by HTTPS")
	}
}

// TestTrustedProxiesSpeakForTheirClients has a TLS terminator in front, which
// asks by plain HTTP: no redirect to HTTPS, and the app is told of the client.
func TestTrustedProxiesSpeakForTheirClients(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := Config{
		Host:  Listen{TrustedProxies: []string{"127.0.0.1", "::1"}},
		Sites: []Site{{Domains: []string{"localhost"}, Target: Target{App: "app"}}},
	}
	testApp(t, &c, "app", "app", 1)
	b.settled(c)
	res := b.from("6.6.6.6, 1.2.3.4", "GET", "http://localhost/x", "X-Forwarded-Proto", "https")
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 || string(body) != "app /x https 1.2.3.4 localhost" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	if res := b.from("1.2.3.4", "GET", "http://localhost/x", "X-Forwarded-Proto", "http"); res.StatusCode != 308 {
		t.Errorf("a plain client of a proxy gets %d, not a redirect", res.StatusCode)
	}
	log := b.accessLines(2)
	if !strings.Contains(log[0], `"client":"1.2.3.4"`) || !strings.Contains(log[0], `"tls":"proxy"`) || !strings.Contains(log[1], `"tls":""`) {
		t.Errorf("logged:\n%s", strings.Join(log, "\n"))
	}
	c.Host.TrustedProxies = []string{"192.0.2.0/24"}
	b.settled(c)
	if res := b.from("1.2.3.4", "GET", "http://localhost/x", "X-Forwarded-Proto", "https"); res.StatusCode != 308 {
		t.Errorf("a stranger's word is taken for HTTPS: %d", res.StatusCode)
	}
	res = b.from("1.2.3.4", "GET", "https://localhost/x", "X-Forwarded-Proto", "http")
	if body, _ := io.ReadAll(res.Body); string(body) != "app /x https 127.0.0.1 localhost" {
		t.Errorf("a stranger's word reaches the app: %q", body)
	}
}

func TestAddressesAreAllowedAndDenied(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	dir := b.folder(map[string]string{"index.html": "SECRET", "404.html": "SECRET page of errors"})
	b.settled(Config{Host: Listen{TrustedProxies: []string{"127.0.0.1"}}, Sites: []Site{{
		Domains: []string{"localhost"}, RedirectHTTPS: no(),
		Target: Target{Root: dir, Protection: Protection{Allow: []string{"10.0.0.0/8", "2001:db8::/32"}, Deny: []string{"10.6.6.0/24", "::ffff:10.7.7.7"}}},
		Routes: []Route{
			{Path: "/open/", Target: Target{Root: dir, Protection: Protection{Allow: []string{}}}},
			{Path: "/one/", Target: Target{Root: dir, Protection: Protection{Allow: []string{"192.0.2.7"}, Deny: []string{}}}},
		},
	}, {
		Domains: []string{"only-routes.localhost"}, RedirectHTTPS: no(), Target: Target{Protection: Protection{Deny: []string{"0.0.0.0/0"}}},
		Routes: []Route{{Path: "/x/", Target: Target{Root: dir}}},
	}}})
	for _, test := range []struct {
		client, path string
		status       int
	}{
		{"10.1.2.3", "/", 200}, {"10.1.2.3", "/missing", 404}, {"::ffff:10.1.2.3", "/", 200}, {"2001:db8::1", "/", 200},
		{"192.0.2.7", "/", 403}, {"192.0.2.7", "/missing", 403}, {"10.6.6.6", "/", 403}, {"10.7.7.7", "/", 403}, {"::ffff:10.6.6.6", "/", 403},
		{"192.0.2.7", "/open/", 200}, {"10.6.6.6", "/open/", 403}, // its deny is the site's
		{"192.0.2.7", "/one/", 200}, {"192.0.2.8", "/one/", 403}, {"10.1.2.3", "/one/", 403}, {"", "/", 403},
	} {
		res := b.from(test.client, "GET", "http://localhost"+test.path)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != test.status || test.status == 403 && strings.Contains(string(body), "SECRET") {
			t.Errorf("%s asks for %s: %d %q", test.client, test.path, res.StatusCode, body)
		}
	}
	for path, status := range map[string]int{"/x/": 403, "/nowhere": 403} {
		if res := b.from("1.2.3.4", "GET", "http://only-routes.localhost"+path); res.StatusCode != status {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	if (&addressRules{}).admit(netip.Addr{}) {
		t.Error("a client without an address is let in")
	}
}

func TestPagesHaveSecurityHeadersUnlessTheySaySomethingElse(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	dir := b.folder(map[string]string{"index.html": "<p>", "style.css": "p{}"})
	year := unit.Duration(365 * 24 * time.Hour)
	b.settled(Config{
		Sites: []Site{
			{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: dir, Protection: Protection{HSTS: &year}}, Routes: []Route{
				{Path: "/off/", Target: Target{Root: dir, Protection: Protection{SecurityHeaders: no(), HSTS: new(unit.Duration)}}},
			}},
			{Domains: []string{"app.localhost"}, Target: Target{App: "x"}},
			{Domains: []string{"secured.localhost"}, Target: Target{App: "x", Protection: Protection{SecurityHeaders: yes()}}},
		},
	})
	router := newRouter(b.look().config, handlerTargets{fakeTargets{}, asApp(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/says" {
			w.Header().Set("Content-Security-Policy", "default-src 'none'")
			w.Header().Set("Referrer-Policy", "no-referrer")
		}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<p>")
	})})
	running := b.front.router.Load()
	for _, name := range []string{"app.localhost", "secured.localhost"} {
		running.exact[name] = router.exact[name]
	}
	const csp, referrer = "frame-ancestors 'self'", "strict-origin-when-cross-origin"
	for url, want := range map[string][4]string{ // nosniff, CSP, referrer, HSTS
		"https://localhost/":             {"nosniff", csp, referrer, "max-age=31536000"},
		"http://localhost/":              {"nosniff", csp, referrer, ""},
		"https://localhost/style.css":    {"nosniff", "", "", "max-age=31536000"},
		"https://localhost/missing":      {"nosniff", csp, referrer, "max-age=31536000"},
		"https://localhost/off/":         {"nosniff", "", "", "max-age=0"}, // of files it always is
		"https://app.localhost/":         {},
		"https://secured.localhost/":     {"nosniff", csp, referrer},
		"https://secured.localhost/says": {"nosniff", "default-src 'none'", "no-referrer"},
	} {
		for _, http2 := range []bool{false, true} {
			res, _ := b.get(b.client(http2), url)
			var got [4]string
			for i, name := range []string{"X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy", "Strict-Transport-Security"} {
				got[i] = strings.Join(res.Header[name], " and ")
			}
			if got != want {
				t.Errorf("%s, HTTP/2 %v: %q, want %q", url, http2, got, want)
			}
		}
	}
}

func TestBadProtectionIsToldWithItsLine(t *testing.T) {
	wants(t, checked(t, `[host]
trusted_proxies = ["10.0.0.0/8", "proxy.internal"]

[[site]]
root = "public"
allow = ["10.0.0.1/8",
         "10.0.0.0/33"]
deny = ["fe80::1%eth0"]
hsts = 31
  [[site.route]]
  path = "/x/"
  root = "public"
  deny = ["all"]
  security_headers = "on"
`),
		`roost.toml:2: trusted_proxies: "proxy.internal" is not an address or a network: write an address such as "192.0.2.7" or a network such as "10.0.0.0/8" or "2001:db8::/32"`,
		`roost.toml:6: site *: allow: "10.0.0.1/8" has bits set beyond its first 8: write "10.0.0.0/8" for the network, or the address alone`,
		`roost.toml:7: site *: allow: "10.0.0.0/33" is not an address or a network: write an address such as "192.0.2.7" or a network such as "10.0.0.0/8" or "2001:db8::/32"`,
		`roost.toml:8: site *: deny: "fe80::1%eth0" has a zone: leave out what follows %`,
		`roost.toml:9: site *: hsts = 31ms is less than a second: write "1y" or "7d"; a plain number is milliseconds`,
		`roost.toml:13: site *: deny: "all" is not an address or a network: write an address such as "192.0.2.7" or a network such as "10.0.0.0/8" or "2001:db8::/32"`,
		`roost.toml:14: security_headers wants true or false, not the text "on": leave out the quotes`,
	)
}

func TestBadLocksAreToldWithTheirLine(t *testing.T) {
	hash := hashOf(t, "right")
	wants(t, checked(t, `[[site]]
root = "public"
max_body = "lots"
rate_limit = { per = "10s" }
  [site.basic_auth]
  realm = "the \"vault\""
    [site.basic_auth.users]
    ann = "right"
    "b:b" = "`+hash+`"
    dear = "$2a$15$`+hash[7:]+`"
    long = "`+hash+`x"
    good = "`+hash+`"
  [site.cors]
  origins = ["*", "example.com", "https://a.example/", "https://a.example:443", "null"]
  methods = ["get"]
  headers = ["X-A, X-B"]
  max_age = 600
  [[site.route]]
  path = "/x/"
  root = "public"
  basic_auth = { realm = "x" }
  rate_limit = { requests = 1, per = "1d", burst = 1000 }
  cors = { origins = ["*"], credentials = true, expose = ["*"] }
  max_body = 0
  [[site.route]]
  path = "/y/"
  root = "public"
  basic_auth = true
  rate_limit = false
  cors = { origin = "*" }
  bandwidth = { after = "1M" }
  [[site.route]]
  path = "/z/"
  root = "public"
  bandwidth = { rate = 100, after = 0 }
  [[site.route]]
  path = "/zz/"
  root = "public"
  bandwidth = { rate = "fast", burst = 1 }
  [[site.route]]
  path = "/zzz/"
  root = "public"
  bandwidth = "1M"
`),
		`roost.toml:3: max_body: "lots" is not a size: write bytes or a text such as "10M"`,
		`roost.toml:4: site *: rate_limit has no requests: write { requests = 100, per = "10s" } or the like, or rate_limit = false`,
		`roost.toml:6: site *: basic_auth: realm "the \"vault\"" has characters that not all browsers show: write it in ASCII, without quotes and backslashes`,
		`roost.toml:8: site *: basic_auth: what user ann has is not the bcrypt hash of a password: make one with: roost hash-password`,
		`roost.toml:9: site *: basic_auth: "b:b" is no user name: write one word, without colons, quotes and backslashes`,
		`roost.toml:10: site *: basic_auth: the hash of user dear has cost 15: want 4 to 14, of which each takes twice as long as the one before; 10 is usual: roost hash-password --cost 10`,
		`roost.toml:11: site *: basic_auth: what user long has is not the bcrypt hash of a password: make one with: roost hash-password`,
		`roost.toml:14: site *: cors: "*" is beside other origins: it means all of them: leave the others out, or "*"`,
		`roost.toml:14: site *: cors: origin "example.com" is not an origin: write "https://example.com", "https://*.example.com", or "*" alone`,
		`roost.toml:14: site *: cors: origin "https://a.example/" has more than an origin: leave out what follows the domain and its port`,
		`roost.toml:14: site *: cors: origin "https://a.example:443" has the port that goes without saying: browsers leave it out: leave out :443`,
		`roost.toml:14: site *: cors: origin "null" is what any page can be made to send: leave it out`,
		`roost.toml:15: site *: cors: method "get": methods are compared with case: write "GET"`,
		`roost.toml:16: site *: cors: "X-A, X-B" in headers is no name: write one name for each, in quotes, with commas between`,
		`roost.toml:17: site *: cors: max_age = 600ms: write "10m" or the like; a plain number is milliseconds`,
		`roost.toml:21: site *: basic_auth has no users: write users = { name = "hash" } with what roost hash-password prints, or basic_auth = false`,
		`roost.toml:22: site *: rate_limit: a burst of 1000 takes more than a year to come back: lower it, or allow more requests`,
		`roost.toml:23: site *: cors: "*" in expose means nothing with credentials: list the names`,
		`roost.toml:23: site *: cors: "*" with credentials would let every page act as its visitor: list the origins that may, or leave credentials out`,
		`roost.toml:28: basic_auth wants a table, not true`,
		`roost.toml:30: unknown key "origin" in [site.route.cors]: did you mean "origins"?`,
		`roost.toml:31: site *: bandwidth has no rate: write { rate = "1M" }, bytes a second, or bandwidth = false`,
		`roost.toml:35: after cannot be 0: write more, or leave it out`,
		`roost.toml:35: site *: bandwidth: rate = 100 bytes a second: want "1K" to "1G", or bandwidth = false`,
		`roost.toml:39: rate: "fast" is not a size: write bytes or a text such as "10M"`,
		`roost.toml:39: unknown key "burst" in [site.route.bandwidth]: known are after, rate`,
		`roost.toml:43: bandwidth wants a table, not the text "1M"`,
	)
}

// TestWhatIsSwitchedOffStaysSo goes through the file and the kept state.
func TestWhatIsSwitchedOffStaysSo(t *testing.T) {
	dir := folderWith(t, "public/")
	c, problems := Check(filepath.Join(dir, "roost.toml"), []byte(`[[site]]
root = "public"
allow = ["10.0.0.0/8"]
basic_auth = { users = { ann = "`+hashOf(t, "right")+`" } }
rate_limit = { requests = 5 }
bandwidth = { rate = "1M", after = "10M" }
cors = { origins = ["*"] }
max_body = "1M"
  [[site.route]]
  path = "/open/"
  root = "public"
  allow = []
  basic_auth = false
  rate_limit = false
  bandwidth = false
  cors = false
  max_body = 0
  [[site.route]]
  path = "/same/"
  root = "public"
`), "")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back Config
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{c, c.Clone(), back} {
		s := c.Sites[0]
		open, same := s.Routes[0].over(s.Protection), s.Routes[1].over(s.Protection)
		if len(open.Allow) != 0 || open.BasicAuth != nil || open.RateLimit != nil || open.Bandwidth != nil || open.CORS != nil || *open.MaxBody != 0 {
			t.Errorf("switched off: %+v", open)
		}
		if diff := cmp.Diff(same, s.Protection); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAPlanDoesNotShowHashes(t *testing.T) {
	before := Config{Sites: []Site{{Domains: []string{"a.example"}, Target: Target{Root: "/srv"}}}}
	after := before.Clone()
	after.Sites[0].Protection = locked(t)
	after.Sites[0].RateLimit = &RateLimit{Requests: 1}
	for _, plan := range [][]Change{Diff(before, after), Diff(after, before), Diff(Config{}, after)} {
		if text := fmt.Sprint(plan); len(plan) == 0 || strings.Contains(text, "$2") || strings.Contains(text, "0x") {
			t.Errorf("%s", text)
		}
	}
	if text := fmt.Sprint(Diff(before, after)); text != "[change site a.example: basic_auth, rate_limit]" {
		t.Error(text)
	}
}

// accessLines waits for n lines in the access log.
func (b *box) accessLines(n int) (lines []string) {
	b.t.Helper()
	until(b.t, "lines in the access log", func() bool {
		text, _ := os.ReadFile(filepath.Join(b.dir, "logs", "access.log"))
		lines = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		return len(text) > 0 && len(lines) >= n
	})
	return lines
}

func yes() *bool { t := true; return &t }
