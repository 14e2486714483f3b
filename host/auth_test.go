package host

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"roost/internal/httplint"
)

// hashOf is the hash of a password, at the lowest cost.
func hashOf(t *testing.T, password string) string {
	t.Helper()
	hash, err := HashPassword(password, bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// locked asks for ann's password.
func locked(t *testing.T) Protection {
	return Protection{BasicAuth: &BasicAuth{Realm: "the vault", Users: map[string]string{"ann": hashOf(t, "right"), "bob": hashOf(t, "bob's")}}}
}

// as asks as a user.
func (b *box) as(user, password, method, url string, fields ...string) *http.Response {
	b.t.Helper()
	r, _ := http.NewRequest(method, url, nil)
	r.SetBasicAuth(user, password)
	return b.from("", method, url, append(fields, "Authorization", r.Header.Get("Authorization"))...)
}

func TestAPasswordIsAskedFor(t *testing.T) {
	b := newBox(t)
	dir := b.folder(map[string]string{"index.html": "SECRET", "app.0123456789abcdef.js": "SECRET", "404.html": "SECRET"})
	b.settled(Config{Sites: []Site{{
		Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: dir, Protection: locked(t)},
		Headers: []HeaderRule{{Path: "/*.js", Set: map[string]string{"Cache-Control": "public, max-age=60, s-maxage=600"}}},
		Routes:  []Route{{Path: "/open/", Target: Target{Root: b.folder(map[string]string{"index.html": "public"}), Protection: Protection{BasicAuth: &BasicAuth{Switch: Switch{Off: true}}}}}},
	}}})
	const url = "http://localhost/"
	for _, test := range []struct {
		authorization string
		status        int
	}{
		{"", 401}, {"Basic", 401}, {"Basic ", 401}, {"Bearer right", 401}, {"Basic !", 400}, {"Basic YW5u", 401}, // no colon
		{"Basic YW5uOnJpZ2h0", 200}, {"basic YW5uOnJpZ2h0", 200}, {"Basic YW5uOnJpZ2h0 ", 200}, {"Basic  YW5uOnJpZ2h0", 400},
		{"Basic YW5uOndyb25n", 401}, {"Basic bm9ib2R5OnJpZ2h0", 401}, {"Basic OnJpZ2h0", 401}, {"Basic YW5uOg==", 401}, {"Basic YW5uOnJpZ2h0Og==", 401},
	} {
		fields := []string{"Authorization", test.authorization}
		if test.authorization == "" {
			fields = nil
		}
		for _, path := range []string{"", "missing", "app.0123456789abcdef.js"} {
			want := test.status
			if want == 200 && path == "missing" {
				want = 404
			}
			res := b.from("", "GET", url+path, fields...)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != want || strings.Contains(string(body), "SECRET") != (test.status == 200) {
				t.Errorf("%q, /%s: %d %q", test.authorization, path, res.StatusCode, body)
			}
			if challenge := res.Header.Get("WWW-Authenticate"); (challenge == `basic realm="the vault"`) != (want == 401) {
				t.Errorf("%q: %d with %q", test.authorization, res.StatusCode, challenge)
			}
			if kept := res.Header.Get("Cache-Control"); strings.Contains(kept, "public") || want == 200 && !strings.HasPrefix(kept, "private") {
				t.Errorf("/%s may be kept for others: %q", path, kept)
			}
		}
	}
	if res := b.from("", "GET", url+"open/"); res.StatusCode != 200 {
		t.Errorf("the open part asks too: %d", res.StatusCode)
	}
	b.as("ann", "right", "HEAD", url+"?logged")
	var line string
	until(t, "the line of the last request", func() bool {
		text, _ := os.ReadFile(filepath.Join(b.dir, "logs", "access.log"))
		for line = range strings.Lines(string(text)) {
			if strings.Contains(line, "?logged") {
				return true
			}
		}
		return false
	})
	text, _ := os.ReadFile(filepath.Join(b.dir, "logs", "access.log"))
	if !strings.Contains(line, `"user":"ann"`) || strings.Contains(string(text), "YW5u") || strings.Contains(string(text), "right") {
		t.Errorf("logged: %s", text)
	}
	c := b.look().config
	c.Host.AccessLogFormat = "combined"
	b.settled(c)
	b.as("ann", "right", "GET", url+"?combined")
	until(t, "the user in the combined log", func() bool {
		text, _ := os.ReadFile(filepath.Join(b.dir, "logs", "access.log"))
		return strings.Contains(string(text), "127.0.0.1 - ann [")
	})
}

// rawly sends a request line as it stands and returns the answer.
func rawly(t *testing.T, c net.Conn, name, target string) string {
	t.Helper()
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, name)
	answer, err := io.ReadAll(bufio.NewReader(c))
	if err != nil && !errors.Is(err, net.ErrClosed) && len(answer) == 0 {
		t.Fatalf("%s: %v", target, err)
	}
	return string(answer)
}

// TestNoSpellingOfAPathComesPastThePassword asks for /admin/ in all the ways in
// which a router and a reader of paths have ever disagreed, of every kind of
// target. What the apps answer is secret wherever an app could take the path
// for one below /admin, as careless as it may be.
func TestNoSpellingOfAPathComesPastThePassword(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	public := b.folder(map[string]string{"index.html": "public", "admin/secret": "SECRET", "admin/index.html": "SECRET", "admin.html": "public"})
	if err := os.WriteFile(filepath.Join(public, `admin\secret`), []byte("public"), 0o644); err != nil {
		t.Log(err) // not on Windows
	}
	lock := locked(t)
	site := func(domain string, root Target, admin Route) Site {
		admin.Protection = lock
		return Site{Domains: []string{domain}, RedirectHTTPS: no(), Target: root, Routes: []Route{admin, {Path: "/longer-but-open/", Target: root}}}
	}
	folder, app := Target{Root: public}, Target{App: "careless"}
	c := Config{Sites: []Site{
		site("folder.localhost", folder, Route{Path: "/admin/", Target: Target{Root: filepath.Join(public, "admin")}}),
		site("folder2.localhost", folder, Route{Path: "/admin", Target: Target{Root: filepath.Join(public, "admin")}}),
		site("app.localhost", app, Route{Path: "/admin/", Target: app}),
		site("app2.localhost", app, Route{Path: "/admin", Target: app}),
		site("strip.localhost", app, Route{Path: "/admin", Target: app, StripPrefix: true}),
		site("mixed.localhost", folder, Route{Path: "/admin/", Target: app, StripPrefix: true}),
	}}
	testApp(t, &c, "careless", "careless", 1)
	b.settled(c)
	spellings := []string{
		"/admin/secret", "/admin/", "/admin", "/admin%2Fsecret", "/admin%2fsecret", "/%61dmin/secret", "/%61%64%6d%69%6e/secret", "/a/../admin/secret",
		"/a/%2e%2e/admin/secret", "/a%2f..%2fadmin/secret", "/./admin/secret", "/%2e/admin/secret", "//admin/secret", "///admin//secret",
		"/%2fadmin/secret", "/admin;x/secret", "/admin;x", "/admin%3bx/secret", "/;x/admin/secret", "/ADMIN/secret", "/Admin/secret", "/%41dmin/secret", "/admin/.",
		"/admin/./secret", "/admin/x/..", "/admin/x/../secret", "/x/..;/admin/secret", "/admin%5csecret", "/%5cadmin%5csecret", `/\admin\secret`, `/admin\secret`, "/admin%2f", "/admin/%2e%2e/admin/secret",
		"/admin/secret/", "/admin%20/secret", "/admin./secret", "/adm%C4%B1n/secret", "/ADM%C4%B0N/secret", "/admin/%2e/secret", "/admin//secret", "/admin/secret?x=/../..", "/admin/secret;.css", "/admin%00/secret", "/index.html/../admin/secret",
		"http://localhost/admin/secret", "http://user@HOST/admin/secret", "http://HOST//admin/secret", "http://HOST/a/../admin/secret", "http://HOST/ADMIN/secret",
		"/admin/..%2fadmin/secret", "/admin/%5c..%5cadmin/secret", "/admin%252fsecret", "/%2561dmin/secret", "/admin/index.html", "/admin/index", "/.%2fadmin/secret", "/admin%09/secret",
		"/longer-but-open/..;/admin/secret", "/longer-but-open/..%5cadmin/secret", "/longer-but-open%5c..%5cadmin/secret", "/longer-but-open/../admin/secret",
	}
	seen := map[string]int{}
	for _, s := range c.Sites {
		name := s.Domains[0]
		for _, spelling := range spellings {
			target := strings.ReplaceAll(spelling, "HOST", name)
			if strings.HasPrefix(target, "http://localhost/") {
				target = "http://" + name + strings.TrimPrefix(target, "http://localhost")
			}
			answers := map[string]string{
				"plain": rawly(t, b.dial("http"), name, target), "TLS": rawly(t, b.dialTLS(name, "http/1.1"), name, target),
				"HTTP/2": b.overHTTP2(name, target),
			}
			for kind, answer := range answers {
				if strings.Contains(answer, "SECRET") || name == "mixed.localhost" && strings.Contains(answer, "careless") {
					t.Errorf("%s, %s, %s: %s", name, kind, spelling, answer)
				}
				status, _, _ := strings.Cut(strings.TrimPrefix(answer, "HTTP/1.1 "), " ")
				seen[status]++
			}
		}
		if res := b.as("ann", "right", "GET", "http://"+name+"/admin/secret"); res.StatusCode != 200 {
			t.Errorf("%s: ann gets %d", name, res.StatusCode)
		}
	}
	t.Logf("%d spellings, answers by status: %v", len(spellings), seen)
	if seen["401"] == 0 || seen["404"] == 0 || seen["200"] == 0 {
		t.Errorf("this cannot be: %v", seen)
	}
	// what looks alike is open to those who may
	for _, path := range []string{"/ADMIN/secret", "/admin;x/secret", "/admin%5csecret"} {
		res := b.as("ann", "right", "GET", "http://app.localhost"+path)
		if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != "SECRET" {
			t.Errorf("%s: ann gets %d %q", path, res.StatusCode, body)
		}
	}
}

// TestARewriteMeetsTheLockOfWhereItLeads has rules that lead into and out of what is locked.
func TestARewriteMeetsTheLockOfWhereItLeads(t *testing.T) {
	b := newBox(t)
	open := Target{Root: b.folder(map[string]string{
		"index.html": "public", "page.html": "public", "admin/inner.html": "SECRET", "admin/404.html": "SECRET", "denied/inner.html": "SECRET", "limited/inner.html": "SECRET", "same/page.html": "public",
		"_redirects": "/own/* /:splat 200\n/lost/* /admin/none 200\n/gone/* /admin/inner 404\n",
	})}
	c := Config{Sites: []Site{{
		Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: open,
		Rewrites: []Rewrite{{From: "/shortcut", To: "/admin/secret"}, {From: "/s/*", To: "/admin/:splat"}, {From: "/admin/help", To: "/page"}, {From: "/denied/help", To: "/page"}},
		Routes: []Route{
			{Path: "/admin/", Target: Target{Root: b.folder(map[string]string{"secret": "SECRET", "index.html": "SECRET"}), Protection: locked(t)}},
			{Path: "/denied/", Target: Target{Root: open.Root, Protection: Protection{Deny: []string{"127.0.0.1", "::1"}}}},
			{Path: "/limited/", Target: Target{Root: open.Root, Protection: Protection{RateLimit: &RateLimit{Requests: 1}}}},
			{Path: "/same/", Target: Target{Root: open.Root}},
		},
	}}}
	b.settled(c)
	for path, want := range map[string]int{
		"/shortcut": 401, "/s/secret": 401, "/s/": 401, "/s/../admin/secret": 401, "/s/x/../secret": 401, "/admin/secret": 401, "/admin/help": 200, "/denied/": 403, "/denied/help": 403, "/": 200,
		// a folder's own rules do not lead to its files below a lock
		"/own/page": 200, "/own/same/page": 200, "/own/admin/inner": 404, "/own/admin/inner.html": 404, "/own//admin/inner": 404, "/own/x/../../admin/inner": 401, "/own/%2e%2e/admin/inner": 401, "/own/denied/inner": 404,
		"/own/limited/inner": 404, "/lost/x": 404, "/gone/x": 404,
	} {
		answer := rawly(t, b.dial("http"), "localhost", path)
		if !strings.HasPrefix(answer, fmt.Sprintf("HTTP/1.1 %d ", want)) || strings.Contains(answer, "SECRET") {
			t.Errorf("%s: want %d: %s", path, want, answer)
		}
	}
	for _, path := range []string{"/shortcut", "/s/secret"} {
		if res := b.as("ann", "right", "GET", "http://localhost"+path); res.StatusCode != 200 {
			t.Errorf("%s: ann gets %d", path, res.StatusCode)
		}
	}
}

// overHTTP2 asks for a path as it stands.
func (b *box) overHTTP2(name, path string) string {
	b.t.Helper()
	c := b.dialTLS(name, "h2")
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, http2.ClientPreface)
	f := http2.NewFramer(c, c)
	f.WriteSettings()
	var head bytes.Buffer
	e := hpack.NewEncoder(&head)
	for _, h := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", name}, {":path", path}} {
		e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndHeaders: true, EndStream: true})
	answer := ""
	decoder := hpack.NewDecoder(4096, func(h hpack.HeaderField) {
		if h.Name == ":status" {
			answer += h.Value + " "
		}
	})
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			b.t.Fatalf("%s: %v", path, err)
		}
		switch frame := frame.(type) {
		case *http2.HeadersFrame:
			decoder.Write(frame.HeaderBlockFragment())
			if frame.StreamEnded() {
				return answer
			}
		case *http2.DataFrame:
			answer += string(frame.Data())
			if frame.StreamEnded() {
				return answer
			}
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return answer + "cut"
		}
	}
}

func TestUnknownUsersTakeAsLongAsKnownOnes(t *testing.T) {
	dear, err := HashPassword("right", 6)
	if err != nil {
		t.Fatal(err)
	}
	a := newBasicAuth(BasicAuth{Users: map[string]string{"ann": hashOf(t, "right"), "dear": dear}})
	var rounds atomic.Int64
	a.match = func(hash, password []byte) error {
		cost, err := bcrypt.Cost(hash)
		if err != nil {
			t.Errorf("%s: %v", hash, err)
		}
		rounds.Add(1 << cost)
		err = bcrypt.CompareHashAndPassword(hash, password)
		if err != nil && err != bcrypt.ErrMismatchedHashAndPassword {
			t.Errorf("%s is refused without a computation: %v", hash, err)
		}
		return err
	}
	for _, test := range []struct {
		user, password string
		right          bool
	}{{"nobody", "right", false}, {"ann", "wrong", false}, {"ann", "right", true}, {"dear", "wrong", false}, {"dear", "right", true}, {"", "", false}} {
		rounds.Store(0)
		err := a.check(a.mac(test.user, test.password), "client", test.user, test.password)
		if (err == nil) != test.right || rounds.Load() != 1<<6 {
			t.Errorf("%s, %s: %v, %d rounds of %d", test.user, test.password, err, rounds.Load(), 1<<6)
		}
	}
	if err := a.check(a.mac("ann", "right"), "client", "ann", "right"); err != nil || rounds.Load() != 1<<6 {
		t.Errorf("what was right is not remembered: %v", err)
	}
	full := map[[sha256.Size]byte]bool{}
	for i := range maxRemembered - 1 {
		full[a.mac("ann", fmt.Sprint(i))] = true
	}
	a.right.Store(&full)
	a.remember(a.mac("ann", "one more"))
	if n := len(*a.right.Load()); n != maxRemembered || !a.remembers(a.mac("ann", "one more")) || !a.remembers(a.mac("ann", "0")) {
		t.Errorf("%d are remembered", n)
	}
	a.remember(a.mac("ann", "one too many"))
	if n := len(*a.right.Load()); n > maxRemembered || !a.remembers(a.mac("ann", "one too many")) {
		t.Errorf("%d are remembered", n)
	}
}

// TestGuessersAreHeldUpAndOthersAreNot has several people behind one address.
func TestGuessersAreHeldUpAndOthersAreNot(t *testing.T) {
	b := newBox(t)
	config := func(p Protection) Config {
		return Config{Host: Listen{TrustedProxies: []string{"127.0.0.1"}}, Sites: []Site{{
			Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: b.folder(map[string]string{"index.html": "SECRET"}), Protection: p},
		}}}
	}
	lock := locked(t)
	c := config(lock)
	b.settled(c)
	ask := func(client, user, password string) *http.Response {
		return b.as(user, password, "GET", "http://localhost/", "X-Forwarded-For", client)
	}
	expect := func(what, client, user, password string, want int) {
		t.Helper()
		res := ask(client, user, password)
		if res.StatusCode != want || (res.Header.Get("Retry-After") != "") != (want == 429) {
			t.Errorf("%s: %d, Retry-After %q", what, res.StatusCode, res.Header.Get("Retry-After"))
		}
	}
	const office, elsewhere = "192.0.2.1", "192.0.2.2"
	expect("ann comes in", office, "ann", "right", 200)
	for i := range wrongAtOnce {
		expect("a guess", office, "ann", fmt.Sprint("guess", i), 401)
		expect("a guess at nobody", office, "nobody", fmt.Sprint("guess", i), 401)
	}
	expect("one guess too many", office, "ann", "guess", 429)
	expect("and one at nobody, who might be somebody", office, "nobody", "guess", 429)
	expect("a guess at another, who might be somebody", office, "nobody else", "guess", 401)
	expect("ann goes on, whoever guesses beside her", office, "ann", "right", 200)
	expect("bob comes in beside the guesser", office, "bob", "bob's", 200)
	expect("a guess from elsewhere", elsewhere, "ann", "guess", 401)
	expect("a name is asked for", office, "", "", 401)
	if res := b.from(office, "GET", "http://localhost/"); res.StatusCode != 401 {
		t.Errorf("without a password: %d", res.StatusCode)
	}
	for i := range wrongAtOnce { // of IPv6 a client has a whole network
		expect("a guess by IPv6", fmt.Sprintf("2001:db8::%x", i), "ann", "guess", 401)
	}
	expect("a guess too many by IPv6", "2001:db8::ffff", "ann", "guess", 429)
	expect("another network", "2001:db8:0:1::1", "ann", "guess", 401)

	c.Sites[0].SPA = true // a change of something else
	b.settled(c)
	expect("the guesser is known after an apply", office, "ann", "guess", 429)
	expect("and so is ann", office, "ann", "right", 200)
	c.Sites[0].BasicAuth = &BasicAuth{Users: map[string]string{"ann": hashOf(t, "new")}}
	b.settled(c)
	expect("an old password", elsewhere, "ann", "right", 401)
	expect("a user who is gone", elsewhere, "bob", "bob's", 401)
	expect("the new one", elsewhere, "ann", "new", 200)
}

// TestRefusalsOfGuessesTellNobodyWhichUsersThereAre guesses at all kinds of names.
func TestRefusalsOfGuessesTellNobodyWhichUsersThereAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newBasicAuth(BasicAuth{Users: map[string]string{"ann": nobodys(4), "bob": nobodys(4)}})
		a.match = func(hash, password []byte) error { return bcrypt.ErrMismatchedHashAndPassword }
		refused := func(client, user string) bool {
			var wait tooSoon
			return errors.As(a.check(a.mac(user, "guess"), client, user, "guess"), &wait)
		}
		var known, unknown string
		for range wrongAtOnce + 3 {
			known += fmt.Sprint(refused("one", "ann"), refused("one", "bob"), " ")
			unknown += fmt.Sprint(refused("two", "xxx"), refused("two", "yyy"), " ")
		}
		if known != unknown || !strings.HasSuffix(known, "true true ") {
			t.Errorf("known users: %s\nunknown ones: %s", known, unknown)
		}
		for range 2 * triedAtOnce { // those that are refused are no guesses
			refused("one", "ann")
		}
		if refused("one", "carl") {
			t.Error("who guesses at ann holds up carl behind the same address")
		}
		for i := range triedAtOnce {
			if refused("three", fmt.Sprint("user", i)) {
				t.Fatalf("guess %d is refused", i)
			}
		}
		if !refused("three", "ann") || !refused("three", "xxx") || refused("four", "ann") {
			t.Error("who goes through all the names may go on, or nobody else may")
		}
		right := a.match
		a.match = func(hash, password []byte) error { return nil }
		for i := range 2 * triedAtOnce { // and those that are right are none
			if err := a.check(a.mac("ann", fmt.Sprint(i)), "five", "ann", fmt.Sprint(i)); err != nil {
				t.Fatalf("one who is let in: %v", err)
			}
		}
		a.match = right
		time.Sleep(triedEach) // the bubble's
		if refused("three", "ann") || !refused("three", "ann") {
			t.Error("it is not one guess in so long")
		}
	})
}

// nobodys is a hash that fits nothing.
func nobodys(cost int) string { return string(nobody(cost)) }

// TestAFloodOfGuessesLeavesTheCoresToOthers has as many clients as it likes.
func TestAFloodOfGuessesLeavesTheCoresToOthers(t *testing.T) {
	a := newBasicAuth(BasicAuth{Users: map[string]string{"ann": hashOf(t, "right")}})
	var now, most atomic.Int32
	release := make(chan struct{})
	a.match = func(hash, password []byte) error {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release
		return bcrypt.ErrMismatchedHashAndPassword
	}
	var guesses sync.WaitGroup
	var results sync.Map
	for i := range 200 {
		guesses.Go(func() {
			err := a.check(a.mac("ann", fmt.Sprint(i)), fmt.Sprint("client", i), "ann", fmt.Sprint(i))
			results.Store(i, err)
		})
	}
	until(t, "guesses under way", func() bool { return int(now.Load()) == cap(hashing) })
	mac := a.mac("ann", "right")
	a.remember(mac)
	if err := a.check(mac, "another", "ann", "right"); err != nil {
		t.Errorf("ann waits behind guesses: %v", err)
	}
	close(release)
	guesses.Wait()
	if int(most.Load()) != cap(hashing) || cap(hashing) > max(1, runtime.GOMAXPROCS(0)/2) {
		t.Errorf("%d at a time, on %d cores", most.Load(), runtime.GOMAXPROCS(0))
	}
	if len(hashing) != 0 {
		t.Errorf("%d places are not given back", len(hashing))
	}
	results.Range(func(_, err any) bool {
		if err == nil {
			t.Error("a guess is right")
		}
		return err != nil
	})
}

// TestWhoFindsNoTurnIsToldToComeAgain holds all places.
func TestWhoFindsNoTurnIsToldToComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newBasicAuth(BasicAuth{Users: map[string]string{"ann": "$2a$04$" + strings.Repeat(".", 53)}})
		a.turns = make(chan struct{}) // nobody gives one
		err := a.check(a.mac("ann", "x"), "client", "ann", "x")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		for range wrongAtOnce { // and it has cost no guess
			if err := a.check(a.mac("ann", "x"), "client", "ann", "x"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		}
		e := newEchoes(func(w http.ResponseWriter, r *http.Request, status int) { writeError(w, r, status, "") })
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth("ann", "x")
		if w := httplint.Record(t, e.before(http.NotFoundHandler(), a.middleware()), r); w.Code != 503 || w.Header().Get("Retry-After") != "5" {
			t.Errorf("%d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
		}
	})
}
