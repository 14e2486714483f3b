package rules

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// redirectsOf compiles a file that must be right.
func redirectsOf(t testing.TB, text string, d Dialect) *Redirects {
	t.Helper()
	s, problems := ParseRedirects([]byte(text), d)
	if len(problems) > 0 {
		t.Fatalf("%q: %v", text, problems)
	}
	return s
}

func TestWhatARequestBringsNeverLeadsToAnotherHost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rules, path, location string }{
		{"/go/* /:splat 302", "/go//evil.example", "/evil.example"},
		{"/go/* /:splat 302", "/go/%5Cevil.example", "/%5Cevil.example"},
		{"/go/* /:splat 302", "/go/%2F%2Fevil.example", "/evil.example"},
		{"/go/* /:splat 302", "/go/%09/evil.example", "/%09/evil.example"},
		{"/go/* /:splat 302", "/go/%0d%0aSet-Cookie:%20a=b", "/%0D%0ASet-Cookie:%20a=b"},
		{"/go/* /:splat 302", "/go/https://evil.example", "/https:/evil.example"},
		{"/go/:x /:x/:x 302", "/go/%2E%2E", ""},
		{"/go/* /a/:splat 302", "/go/../../x", ""},
		{"/go/* //evil.example/:splat 302", "/go/x", "/evil.example/x"},
		{"/go/* https://example.com/:splat 302", "/go/@evil.example", "https://example.com/@evil.example"},
		{"/go/* https://example.com/:splat 302", "/go//evil.example", "https://example.com//evil.example"},
		{"/go/:x https://:x.example.com/ 302", "/go/www", "https://www.example.com/"},
		{"/go/:x https://:x.example.com/ 302", "/go/evil.example%2F", ""},
		{"/go/:x https://:x.example.com/ 302", "/go/evil.example", ""},
		{"/go/:x https://:x.example.com/ 302", "/go/a%40b", ""},
		{"/go/:x /p?n=:x 302", "/go/a&b=c%23d%20e+f", "/p?n=a%26b%3Dc%23d%20e%2Bf"},
		{"/go/:x /p#:x 302", "/go/a%23b%22", "/p#a%23b%22"},
		{"/go/:x /:x 302", "/go/100%25%41", "/100%25A"},
		{"/go/:a/:b /:a/:b 302", "/go/:b/%3Aa", "/:b/:a"}, // never expanded again
		{"/go/* /:splat 302", "/go/x?q=%0d%0a&r=%23#f", "/x?q=%0d%0a&r=%23%23f"},
		{"/go/* /:splat 302", "/go/caf%C3%A9/%ff", "/caf%C3%A9/%FF"},
	} {
		r := request(t, c.path)
		got, found := redirectsOf(t, c.rules, Cloudflare).Before(r, r.URL.Path, "")
		if got.Location != c.location || found != (c.location != "") {
			t.Errorf("%s: %s leads to %q (%v), want %q", c.rules, c.path, got.Location, found, c.location)
		}
	}
}

func TestATargetWhoseHostARequestCouldChooseIsRefused(t *testing.T) {
	t.Parallel()
	for _, to := range []string{
		"https://:x/", "https://:x.com/", "https://example.com:x/", "https://example.:x", "https://:splat.example.com/", "https://user@example.com/",
		"https://user:pass@example.com/", "https://exa mple.com/", "https://", "https:///x", "https://example.com:port/", "https://ex%61mple.com/", "https://[::1/",
		"https://example.com\\.evil.example/", "javascript:alert(1)", "x", "ftp://example.com/", "https://bücher.example/", "https://-a.example/",
	} {
		if s, problems := Compile([]Rule{{From: "/go/:x/*", To: to}}); s != nil || len(problems) == 0 {
			t.Errorf("%q is taken", to)
		}
	}
	for _, to := range []string{"https://:x.example.com/:splat", "http://example.com:8080/", "https://[::1]/", "https://localhost/", "/:x/:splat", "https://a_b.example.com"} {
		if s, problems := Compile([]Rule{{From: "/go/:x/*", To: to}}); s == nil || len(problems) > 0 {
			t.Errorf("%q: %v", to, problems)
		}
	}
}

func TestADeclaredRuleIsLookedAtStrictly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rules []Rule
		key   string
		what  string
	}{
		{[]Rule{{From: "", To: "/x"}}, "from", "missing"},
		{[]Rule{{From: "/x"}}, "to", "missing"},
		{[]Rule{{From: "x", To: "/y"}}, "from", "slash"},
		{[]Rule{{From: "/x?y", To: "/y"}}, "from", "more than a path"},
		{[]Rule{{From: "/x", To: "/y", Status: 304}}, "status", "304"},
		{[]Rule{{From: "/x/:a", To: "/:b"}}, "to", ":b"},
		{[]Rule{{From: "/x/:a/:a", To: "/:a"}}, "from", "twice"},
		{[]Rule{{From: "/x/*/*", To: "/"}}, "from", "more than one *"},
		{[]Rule{{From: "/x/:a*", To: "/"}}, "from", "beside"},
		{[]Rule{{From: "/x/:a:b", To: "/"}}, "from", "side by side"},
		{[]Rule{{From: "/x%2fy", To: "/"}}, "from", "escaped slash"},
		{[]Rule{{From: "/x%00y", To: "/"}}, "from", "control"},
		{[]Rule{{From: "/" + strings.Repeat(":a/", 17), To: "/"}}, "from", "twice"},
		{[]Rule{{From: "/*", To: "/index.html"}}, "to", "itself"},
		{[]Rule{{From: "/*", To: "/x/:splat", Status: 301}}, "to", "itself"},
		{[]Rule{{From: "/x", To: "/x"}}, "to", "itself"},
		{[]Rule{{From: "/x", To: "/y"}, {From: "/y", To: "/z"}, {From: "/z", To: "/x"}}, "to", "leads back"},
		{[]Rule{{From: "/x", To: "/y"}, {From: "/x", To: "/z"}}, "from", "same path"},
		{[]Rule{{From: "/*", To: "/index.html", Internal: true}}, "to", "covers"},
		{[]Rule{{From: "/x", To: "http://169.254.169.254/", Internal: true}}, "to", "only a path"},
	} {
		_, problems := Compile(c.rules)
		if len(problems) != 1 || problems[0].Key != c.key || !strings.Contains(problems[0].What, c.what) || problems[0].Hint == "" && c.key == "to" || problems[0].Line != len(c.rules)-1 {
			t.Errorf("%+v: %+v, want one at %s with %q", c.rules, problems, c.key, c.what)
		}
	}
	s, problems := Compile([]Rule{{From: "/old/*", To: "/new/:splat"}, {From: "/*", To: "/index.html", Internal: true, Missing: true}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r := request(t, "/any")
	if got, ok := s.Before(r, "/old/a", ""); !ok || got.Status != 302 || got.Location != "/new/a" {
		t.Errorf("got %+v", got)
	}
	if got, ok := s.Before(r, "/any", ""); ok {
		t.Errorf("before a file: %+v", got)
	}
	if got, ok := s.Missing(r, "/any", ""); !ok || got.Status != 200 || got.Path != "/index.html" {
		t.Errorf("got %+v", got)
	}
}

// Who has to correct a rule is not told of its mistakes one by one.
func TestAllThatIsWrongWithARuleIsToldAtOnce(t *testing.T) {
	t.Parallel()
	tell := func(what string, problems []Problem, wanted []string) {
		told := make([]string, len(problems))
		for i, p := range problems {
			told[i] = p.Key + " " + p.What
		}
		missing := slices.DeleteFunc(slices.Clone(wanted), func(w string) bool {
			return slices.ContainsFunc(told, func(line string) bool { return strings.Contains(line, w) })
		})
		if len(missing) > 0 || len(told) != len(wanted) {
			t.Errorf("%s: told is %q, wanted are %q", what, told, wanted)
		}
	}
	for _, c := range []struct {
		rules  []Rule
		wanted []string
	}{
		{[]Rule{{From: "old", To: "new", Status: 99}}, []string{"from from =", "to the target does not begin", "status status = 99"}},
		{[]Rule{{From: "/a?b", To: "https://:x/"}}, []string{"more than a path", "could choose the host"}},
		{[]Rule{{From: "/*/*", To: "https://:x.example.com/:y"}}, []string{"more than one *"}}, // the names that it would have are not known
		{[]Rule{{From: "/*", To: "/:a/:b:a", Status: 404}}, []string{"status = 404", "to :a is no", "to :b is no"}},
		{[]Rule{{From: "/a", To: "https://example.com/", Status: 200}}, []string{"status = 200"}}, // which redirects once the status is right
		{[]Rule{{From: "a", To: "https://example.com/", Internal: true}}, []string{"slash", "only a path"}},
		{[]Rule{{From: "/a", To: "b"}, {From: "/a", To: "c", Status: 99}}, []string{"to the target", "to the target", "same path", "status = 99"}},
	} {
		_, problems := Compile(c.rules)
		tell(fmt.Sprintf("%+v", c.rules), problems, c.wanted)
	}
	for _, c := range []struct {
		dialect Dialect
		line    string
		wanted  []string
	}{
		{Cloudflare, "https://example.com/a x 999", []string{"not a URL", "the target does", "status is 999"}},
		{Cloudflare, "/x%2fy/* https://:a/ 404", []string{"escaped slash", "could choose", "status is 404"}},
		{Cloudflare, "/%2f/ /index 404", []string{"escaped slash", "index page", "status is 404"}},
		{Netlify, "a.css b=:b c https://example.com/:b/:c 200! Country=de Cookie= foo", []string{"path a.css", "c is neither", "only a path", "country", "empty value", "condition foo"}},
		{Netlify, "/.netlify/* 200", []string{"Netlify's own"}},
		{Netlify, "/a*b c 301", []string{"* does not end", "no target, but c 301"}},
		{Netlify, "http:///x https://%/ 333", []string{"no URL", "no valid host", "status is 333"}},
		{Netlify, "/a /b 200\n/a /c 200 Role=x", []string{"Netlify's own accounts"}}, // not the same: there is a condition
	} {
		s, problems := ParseRedirects([]byte(c.line), c.dialect)
		tell(c.line, problems, c.wanted)
		if held := strings.Count(c.line, "\n"); s != nil && s.count > held {
			t.Errorf("%s: %d rules hold", c.line, s.count)
		}
	}
}

func TestNetlifysConditionsAndQueries(t *testing.T) {
	t.Parallel()
	s := redirectsOf(t, `/ /de/ 302! Language=de,fr
/ /beta/ 302! Cookie=beta
/store id=:id /blog/:id 301!
/tls /x 302!
http://example.com/plain /y 302!
/ /en/ 302!
`, Netlify)
	for _, c := range []struct{ target, field, value, location, vary string }{
		{"/", "Accept-Language", "de-CH, en;q=0.5", "/de/", "Accept-Language"},
		{"/", "Accept-Language", "en, fr;q=0.1", "/de/", "Accept-Language"},
		{"/", "Accept-Language", "en, de;q=0", "/en/", ""},
		{"/", "Accept-Language", "den", "/en/", ""},
		{"/", "Cookie", "a=b; beta=1", "/beta/", "Cookie"},
		{"/", "Cookie", "alpha=beta", "/en/", ""},
		{"/store?id=3&x=1", "", "", "/blog/3?x=1", ""},
		{"/store?id=a%2Fb%0d", "", "", "/blog/a/b%0D", ""},
		{"/store?x=1", "", "", "", ""},
		{"/tls?a=b", "", "", "/x?a=b", ""},
		{"/plain", "", "", "", ""}, // the request came over TLS
	} {
		r := request(t, c.target)
		if c.field != "" {
			r.Header.Set(c.field, c.value)
		}
		got, _ := s.Before(r, r.URL.Path, "")
		if got.Location != c.location || got.Vary != c.vary {
			t.Errorf("%s %s: %s: %+v, want %q, varying by %q", c.target, c.field, c.value, got, c.location, c.vary)
		}
	}
}

func TestAFileIsServedWithoutTheHeaderFieldsThatWouldBreakIt(t *testing.T) {
	t.Parallel()
	names := []string{"Connection", "Transfer-Encoding", "Content-Length", "content-encoding", "Date", "Upgrade", "TE", "Trailer", "ETag", "Last-Modified", "Content-Range", "Keep-Alive", "Basic-Auth", "Location", "Bad(Name"}
	text := "/*\n"
	for _, name := range names {
		text += "  " + name + ": x\n"
	}
	text += "  ! Content-Type\n  ! Vary\n  ! Date\n  X-Ctl: a\x01b\n  X-Uni: \u00e9\n  X-Ok: 1\n"
	s, problems := ParseHeaders([]byte(text), Cloudflare)
	if len(problems) != len(names)+5 {
		t.Errorf("%d problems, want %d: %v", len(problems), len(names)+5, problems)
	}
	h := http.Header{"Date": {"now"}}
	s.Apply(h, request(t, "/x"), "/x", 200)
	if len(h) != 2 || h.Get("X-Ok") != "1" || h.Get("Date") != "now" {
		t.Errorf("got %v", h)
	}
}

func TestHeaderRulesReplaceThenAppend(t *testing.T) {
	t.Parallel()
	s, problems := ParseHeaders([]byte(`/*
  Cache-Control: public
  Vary: Origin
  Link: </a.css>; rel=preload
  X-Frame-Options: DENY
  Set-Cookie: a=1
/p/:name/*
  Cache-Control: max-age=60
  Link: </b.css>; rel=preload
  Link: </:name.js>; rel=preload
  Set-Cookie: b=2
  Set-Cookie: c=3
  ! X-Frame-Options
/type/*
  Content-Type: text/x
`), Cloudflare)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	h := http.Header{"Cache-Control": {"no-cache"}, "Vary": {"Accept-Encoding"}, "X-Frame-Options": {"SAMEORIGIN"}}
	path := "/p/a;b,\"\r\n>/x"
	s.Apply(h, request(t, "/p"), path, 200)
	for name, want := range map[string]string{
		"Cache-Control":   "public, max-age=60",
		"Vary":            "Accept-Encoding, Origin",
		"Link":            "</a.css>; rel=preload, </b.css>; rel=preload, </a%3Bb%2C%22%0D%0A%3E.js>; rel=preload",
		"Set-Cookie":      "a=1|b=2|c=3",
		"X-Frame-Options": "",
	} {
		if got := strings.Join(h[name], "|"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := strings.Join(s.Values(request(t, "/p"), path, "Link"), ", "); got != h.Get("Link") {
		t.Errorf("the values of Link are %q, want %q", got, h.Get("Link"))
	}
	h = http.Header{"Cache-Control": {"no-store"}, "Content-Type": {"text/html"}}
	s.Apply(h, request(t, "/type/x"), "/type/x", 404)
	if h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "text/html" || h.Get("X-Frame-Options") != "DENY" {
		t.Errorf("an error has %v", h)
	}
}

func TestRulesCostNothingWhereNoneMatches(t *testing.T) {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "/static/%d /x\n", i)
	}
	for i := range 100 {
		fmt.Fprintf(&text, "/dynamic/:a-:b/%d/*/end /x\n", i)
	}
	redirects := redirectsOf(t, text.String(), Cloudflare)
	headers, _ := ParseHeaders([]byte("/a/*\n X-A: 1\n/b/:c/*\n X-B: 1\n/dynamic/*\n X-C: 1\n X-D: 2"), Cloudflare)
	r := request(t, "/dynamic/1-2/x/y/z")
	h := http.Header{}
	headers.Apply(h, r, r.URL.Path, 200)
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := redirects.Before(r, r.URL.Path, ""); ok {
			t.Fatal("a rule matches")
		}
		if _, ok := redirects.Missing(r, r.URL.Path, ""); ok {
			t.Fatal("a rule matches")
		}
	}); n != 0 {
		t.Errorf("redirects allocate %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { headers.Apply(h, r, r.URL.Path, 200) }); n != 0 {
		t.Errorf("header rules allocate %v times", n)
	}
	if h.Get("X-C") != "1" {
		t.Error("no rule matched")
	}
}

// A matcher that goes back would be at this for years.
func TestMatchingAHopelessPathEnds(t *testing.T) {
	t.Parallel()
	p, what, _ := parsePattern("/:a-:b-:c-:d-:e-:f-:g-:h/*/:i-:j-:k/x", false)
	if what != "" {
		t.Fatal(what)
	}
	path := "/" + strings.Repeat("-", 1<<20) + "/" + strings.Repeat("y/", 1<<19) + strings.Repeat("-", 1<<20) + "/x/y"
	var v values
	if p.match(path, v[:]) {
		t.Error("it matches")
	}
}

func TestTheQueryIsKeptUnlessTheTargetHasOne(t *testing.T) {
	t.Parallel()
	s := redirectsOf(t, "/a /b\n/c /d?own=1#f\n/e https://example.com/x?\n", Cloudflare)
	for target, want := range map[string]string{
		"/a?x=%20\"<é": "/b?x=%20%22%3C%C3%A9", "/c?x=1": "/d?own=1#f", "/e?x=1": "https://example.com/x?x=1", "/a": "/b", "/a?": "/b",
	} {
		u := &url.URL{}
		u.Path, u.RawQuery, _ = strings.Cut(target, "?")
		got, _ := s.Before(&http.Request{URL: u}, u.Path, "")
		if got.Location != want {
			t.Errorf("%s leads to %q, want %q", target, got.Location, want)
		}
	}
	got, _ := s.Before(request(t, "/a"), "/a", "/docs")
	if got.Location != "/docs/b" {
		t.Errorf("below a prefix it leads to %q", got.Location)
	}
}

// What is known ahead of a field is what the answer then has.
func TestValuesAreThoseThatApplyLeaves(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"/*\n  Link: </a>; rel=preload\n  ! Link\n", "/*\n  ! Link\n  Link: </a>; rel=preload\n",
		"/*\n  Link: </a>\n/a\n  ! Link\n  Link: </b>\n", "/*\n  Link: </a>\n/a\n  ! Link\n/:x\n  Link: </:x>\n",
	} {
		s, problems := ParseHeaders([]byte(text), Cloudflare)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		h := http.Header{}
		s.Apply(h, request(t, "/a"), "/a", 200)
		if got := strings.Join(s.Values(request(t, "/a"), "/a", "Link"), ", "); got != h.Get("Link") {
			t.Errorf("%s is told to be %q, and is %q", text, got, h.Get("Link"))
		}
	}
}

// No field of any cache makes an error stay.
func TestAnErrorIsNotKeptWhateverARuleSays(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Cache-Control", "Expires", "Pragma", "CDN-Cache-Control", "Surrogate-Control"} {
		s, problems := ParseHeaders([]byte("/*\n  "+name+": max-age=60\n"), Cloudflare)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		for status, want := range map[int]string{200: "max-age=60", 308: "max-age=60", 304: "max-age=60", 404: "", 503: ""} {
			h := http.Header{}
			if s.Apply(h, request(t, "/"), "/", status); h.Get(name) != want {
				t.Errorf("%d: %s is %q, want %q", status, name, h.Get(name), want)
			}
		}
	}
}
