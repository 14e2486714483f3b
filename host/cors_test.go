package host

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
	"roost/internal/unit"
)

// corsFields are what an answer says to other origins.
func corsFields(h http.Header) string {
	var all []string
	for name, values := range h {
		if rest, ok := strings.CutPrefix(name, "Access-Control-"); ok {
			all = append(all, rest+": "+strings.Join(values, " and "))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func variesByOrigin(h http.Header) (n int) {
	for name := range strings.SplitSeq(strings.Join(h.Values("Vary"), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(name), "Origin") {
			n++
		}
	}
	return n
}

func TestOtherOriginsReadWhatTheyMay(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	dir := b.folder(map[string]string{"index.html": "content", "data.json": "{}"})
	some := &CORS{Origins: []string{"https://a.example", "https://*.b.example", "http://localhost:3000"}, Methods: []string{"GET", "PUT"}, Headers: []string{"X-Token"}, Expose: []string{"X-Total"}, Credentials: true, MaxAge: unit.Duration(10 * time.Minute)}
	lock := locked(t)
	lock.CORS = some
	b.settled(Config{Sites: []Site{
		{Domains: []string{"some.localhost"}, RedirectHTTPS: no(), Target: Target{Root: dir, Protection: Protection{CORS: some}},
			Routes: []Route{{Path: "/off/", Target: Target{Root: dir, Protection: Protection{CORS: &CORS{Switch: Switch{Off: true}}}}}, {Path: "/locked/", Target: Target{Root: dir, Protection: lock}}}},
		{Domains: []string{"all.localhost"}, RedirectHTTPS: no(), Target: Target{Root: dir, Protection: Protection{CORS: &CORS{Origins: []string{"*"}}}}},
		{Domains: []string{"app.localhost"}, RedirectHTTPS: no(), Target: Target{App: "x", Protection: Protection{CORS: some}}},
		{Domains: []string{"plain.localhost"}, RedirectHTTPS: no(), Target: Target{App: "x"}},
	}})
	app := newRouter(b.look().config, handlerTargets{fakeTargets{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set(httplint.FromApp, "x")
		h["Access-Control-Allow-Origin"] = append(h["Access-Control-Allow-Origin"], "*") // as apps' fields are added
		h["Access-Control-Max-Age"] = append(h["Access-Control-Max-Age"], "1")
		h["Vary"] = append(h["Vary"], "Accept, origin")
		io.WriteString(w, r.Method)
	})})
	running := b.front.router.Load()
	for _, name := range []string{"app.localhost", "plain.localhost"} {
		running.exact[name] = app.exact[name]
	}
	const granted = "Allow-Credentials: true\nAllow-Origin: https://a.example\nExpose-Headers: X-Total"
	const preflight = "Allow-Credentials: true\nAllow-Headers: X-Token\nAllow-Methods: GET,PUT\nAllow-Origin: https://a.example\nMax-Age: 600"
	for _, test := range []struct {
		method, url, origin string
		preflight           bool
		status              int
		want                string
		varies              int
	}{
		{"GET", "some.localhost/", "https://a.example", false, 200, granted, 1},
		{"GET", "some.localhost/", "", false, 200, "", 1},
		{"GET", "some.localhost/missing", "https://a.example", false, 404, granted, 1},
		{"GET", "some.localhost/data.json", "https://x.b.example", false, 200, strings.ReplaceAll(granted, "a.example", "x.b.example"), 1},
		{"GET", "some.localhost/", "https://b.example", false, 200, "", 1},
		{"GET", "some.localhost/", "http://a.example", false, 200, "", 1},
		{"GET", "some.localhost/", "https://a.example.evil.test", false, 200, "", 1},
		{"GET", "some.localhost/", "https://evil.test/.b.example", false, 200, "", 1},
		{"GET", "some.localhost/", "https://evil.test:443.b.example", false, 200, "", 1},
		{"GET", "some.localhost/", "https://.b.example", false, 200, "", 1},
		{"GET", "some.localhost/", "null", false, 200, "", 1},
		{"POST", "some.localhost/", "https://a.example", false, 405, granted, 1},
		{"OPTIONS", "some.localhost/", "https://a.example", true, 204, preflight, 1},
		{"OPTIONS", "some.localhost/", "https://evil.test", true, 204, "", 1},
		{"GET", "some.localhost/locked/", "https://a.example", false, 401, granted, 1},
		{"OPTIONS", "some.localhost/locked/", "https://a.example", true, 204, preflight, 1},
		{"GET", "some.localhost/off/", "https://a.example", false, 200, "", 0},
		{"GET", "all.localhost/", "https://whoever.test", false, 200, "Allow-Origin: *", 1},
		{"OPTIONS", "all.localhost/", "https://whoever.test", true, 204, "Allow-Headers: x-asked\nAllow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\nAllow-Origin: *", 1},
		{"GET", "app.localhost/", "https://a.example", false, 200, granted, 1},
		{"GET", "app.localhost/", "https://evil.test", false, 200, "", 1},
		{"OPTIONS", "app.localhost/", "https://a.example", true, 204, preflight, 1},
		{"OPTIONS", "app.localhost/", "https://a.example", false, 200, granted, 1}, // no preflight: the app's
		{"GET", "plain.localhost/", "https://a.example", false, 200, "Allow-Origin: *\nMax-Age: 1", 1},
	} {
		for _, scheme := range []string{"http://", "https://"} {
			var fields []string
			if test.origin != "" {
				fields = append(fields, "Origin", test.origin)
			}
			if test.preflight {
				fields = append(fields, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-asked")
			}
			res := b.from("", test.method, scheme+test.url, fields...)
			what := test.method + " " + scheme + test.url + " from " + test.origin
			if got := corsFields(res.Header); res.StatusCode != test.status || got != test.want || variesByOrigin(res.Header) != test.varies {
				t.Errorf("%s: %d, varies %d:\n%s\nwant\n%s", what, res.StatusCode, variesByOrigin(res.Header), got, test.want)
			}
			if body, _ := io.ReadAll(res.Body); strings.HasPrefix(test.url, "app.") && test.method == "OPTIONS" && !test.preflight && string(body) != "OPTIONS" {
				t.Errorf("%s: the app has seen %q", what, body)
			}
		}
	}
	first := b.from("", "GET", "https://some.localhost/")
	again := b.from("", "GET", "https://some.localhost/", "If-None-Match", first.Header.Get("Etag"), "Origin", "https://a.example")
	if again.StatusCode != 304 || corsFields(again.Header) != granted || variesByOrigin(again.Header) != 1 {
		t.Errorf("304: %d %v", again.StatusCode, again.Header)
	}
}
