package host

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"roost/apps"
	"roost/internal/httplint"
)

// The test binary is also the app that these tests run.
func TestMain(m *testing.M) {
	if mode := os.Getenv("HOST_TEST_APP"); mode != "" {
		runTestApp(mode)
		return
	}
	flag.Parse()
	if cores := fmt.Sprint(runtime.GOMAXPROCS(0)); flag.Lookup("test.parallel").Value.String() == cores {
		flag.Set("test.parallel", fmt.Sprint(2*runtime.GOMAXPROCS(0))) // most of the tests wait most of the time
	}
	os.Exit(httplint.Run(m))
}

// testModes are what the test binary does besides, on some systems.
var testModes = map[string]func(){}

func runTestApp(mode string) {
	if mode == "crash" {
		fmt.Fprintln(os.Stderr, "cannot find my database")
		os.Exit(3)
	}
	if run := testModes[mode]; run != nil {
		run()
		return
	}
	if mode == "loud" {
		fmt.Fprintln(os.Stderr, "hear me")
	}
	record := recorder()
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(httplint.FromApp, mode)
		if mode == "careless" && carelessly(r.URL.Path) {
			io.WriteString(w, "SECRET")
			return
		}
		if mode == "record" {
			record(w, r)
			return
		}
		switch r.URL.Path {
		case "/exit":
			os.Exit(1)
		case "/upload":
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n, err)
			return
		}
		fmt.Fprintf(w, "%s %s %s %s %s", mode, r.URL.RequestURI(), r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-For"), r.Host)
	})}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		server.Shutdown(context.Background())
	}()
	server.ListenAndServe()
}

// carelessly says whether some program takes p for a path below /admin.
func carelessly(p string) bool {
	p = strings.ToLower(strings.ToUpper(strings.ReplaceAll(p, `\`, "/")))
	var segments []string
	for s := range strings.SplitSeq(p, "/") {
		s, _, _ = strings.Cut(s, ";")
		switch s = strings.TrimRight(s, " "); {
		case s == "" || s == ".":
		case s == ".." && len(segments) > 0:
			segments = segments[:len(segments)-1]
		default:
			segments = append(segments, strings.TrimRight(s, "."))
		}
	}
	return len(segments) > 0 && segments[0] == "admin"
}

// testApp declares an app whose answers begin with mode.
func testApp(t *testing.T, c *Config, name, mode string, instances int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c.AddApp(apps.Config{
		Name: name, Command: self, Cwd: t.TempDir(), Instances: apps.Instances(instances),
		Env: map[string]string{"HOST_TEST_APP": mode},
	}, "", nil, 1)
}

func TestASiteLeadsToAnApp(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := Config{Sites: []Site{
		{Domains: []string{"app.localhost"}, Target: Target{App: "web"}},
		{Domains: []string{"mixed.localhost"}, Target: Target{Root: b.folder(map[string]string{"index.html": "file"})}, Routes: []Route{
			{Path: "/api/", Target: Target{App: "web"}, StripPrefix: true},
			{Path: "/whole/", Target: Target{App: "web"}},
		}},
	}}
	testApp(t, &c, "web", "one", 2)
	b.settled(c)
	for _, http2 := range []bool{false, true} {
		client := b.client(http2)
		for url, want := range map[string]string{
			"https://app.localhost/x?y=1;2":  "one /x?y=1;2 https 127.0.0.1 app.localhost",
			"https://app.localhost/a%2Fb":    "one /a%2Fb https 127.0.0.1 app.localhost",
			"https://app.localhost//a":       "one //a https 127.0.0.1 app.localhost",
			"https://mixed.localhost/":       "file",
			"https://mixed.localhost/api/x":  "one /x https 127.0.0.1 mixed.localhost",
			"https://mixed.localhost/whole/": "one /whole/ https 127.0.0.1 mixed.localhost",
		} {
			if res, body := b.get(client, url); res.StatusCode != 200 || body != want {
				t.Errorf("%s: %d %q, want %q", url, res.StatusCode, body, want)
			}
		}
		res, err := client.Post("https://app.localhost/upload", "text/plain", io.LimitReader(zeros{}, 3<<20))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != "3145728 <nil>" {
			t.Errorf("upload: %d %s", res.StatusCode, body)
		}
	}
	s := b.Status()
	if len(s.Apps) != 1 || s.Apps[0].Name != "web" || len(s.Apps[0].Status.Instances) != 2 || s.Apps[0].Figures.Requests != 12 || s.Apps[0].Figures.Classes[1] != 12 {
		t.Errorf("%+v", s.Apps)
	}
	if b.App("web") == nil || b.App("none") != nil || len(b.Apps()) != 1 {
		t.Error("App and Apps do not find the app")
	}
	b.Measure()
	w := httplint.Record(t, b.Metrics(), httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{`roost_app_requests_total{app="web",class="2xx"} 12`, `roost_app_instances{app="web",state="ready"} 2`, `roost_app_restarts{app="web"} 0`, `roost_app_memory_bytes{app="web"} `, `roost_app_requests_waiting{app="web"} 0`} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %s", line)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestAnAppThatFailsKeepsNothingElseDown(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := Config{Sites: []Site{
		{Domains: []string{"good.localhost"}, Target: Target{App: "good"}},
		{Domains: []string{"bad.localhost"}, Target: Target{App: "bad"}},
	}}
	testApp(t, &c, "good", "good", 1)
	testApp(t, &c, "bad", "crash", 1)
	c.App("bad").QueueTimeout = milliseconds(200)
	err := b.want(c)
	var failure *apps.Failure
	if !errors.As(err, &failure) || failure.App != "bad" || !strings.Contains(strings.Join(failure.Output, "\n"), "cannot find my database") {
		t.Errorf("Settle: %v, %+v", err, failure)
	}
	client := b.client(true)
	if _, body := b.get(client, "https://good.localhost/"); !strings.HasPrefix(body, "good /") {
		t.Errorf("good: %s", body)
	}
	if res, body := b.get(client, "https://bad.localhost/"); res.StatusCode < 502 || !strings.Contains(body, "<h2>") {
		t.Errorf("bad: %d %s", res.StatusCode, body)
	}
	// What is changed next does not answer for it.
	testApp(t, &c, "third", "third", 1)
	if err := b.want(c); err != nil {
		t.Errorf("a change of something else: %v", err)
	}
}

func TestAFullDiskUnderTheLogsIsToldAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Fatal("this test needs the device /dev/full (full(4)), which Linux and the BSDs have")
	}
	b := newBox(t)
	if err := os.Symlink("/dev/full", filepath.Join(b.dir, "logs", "web-error.log")); err != nil {
		t.Fatal(err)
	}
	var c Config
	testApp(t, &c, "web", "loud", 1)
	c.Sites = []Site{{Domains: []string{"a.localhost"}, Target: Target{App: "web"}, RedirectHTTPS: no()}}
	b.settled(c)
	until(t, "the status says so", func() bool {
		return slices.ContainsFunc(b.Status().Problems, func(p string) bool {
			return strings.Contains(p, "app web: cannot write") && strings.Contains(p, "no space left on device")
		})
	})
	if _, body := b.get(b.client(false), "http://a.localhost/"); !strings.HasPrefix(body, "loud ") {
		t.Errorf("%q", body)
	}
}

func TestAnAppThatIsRemovedIsGoneWhenSettled(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := Config{Sites: []Site{{Domains: []string{"app.localhost"}, Target: Target{App: "web"}}}}
	testApp(t, &c, "web", "one", 2)
	b.settled(c)
	var pids []int
	for _, i := range b.Status().Apps[0].Status.Instances {
		pids = append(pids, i.PID)
	}
	client := b.client(true)
	b.settled(Config{Sites: []Site{{Domains: []string{"app.localhost"}, Target: Target{Root: b.folder(map[string]string{"index.html": "file"})}}}})
	if _, body := b.get(client, "https://app.localhost/"); body != "file" {
		t.Errorf("%s", body)
	}
	for _, pid := range pids {
		if err := exec.Command("kill", "-0", fmt.Sprint(pid)).Run(); err == nil {
			t.Errorf("process %d still runs", pid)
		}
	}
	// The same name again, at once.
	b.settled(c)
	if _, body := b.get(client, "https://app.localhost/"); !strings.HasPrefix(body, "one ") {
		t.Errorf("%s", body)
	}
	b.Want(Config{})
	b.settled(c)
	if _, body := b.get(client, "https://app.localhost/"); !strings.HasPrefix(body, "one ") {
		t.Errorf("removed and added at once: %s", body)
	}
}

// TestReloadUnderLoad moves a two-instance app to new revisions while it is asked.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := Config{Sites: []Site{{Domains: []string{"app.localhost"}, Target: Target{App: "web"}}}}
	testApp(t, &c, "web", "v0", 2)
	b.settled(c)
	stop := make(chan bool)
	var asking sync.WaitGroup
	var answered atomic.Int64
	for i := range 4 {
		client := b.client(i%2 > 0)
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var res *http.Response
				var err error
				if i < 2 {
					res, err = client.Get("https://app.localhost/")
				} else {
					res, err = client.Post("https://app.localhost/upload", "text/plain", strings.NewReader("hello"))
				}
				if err != nil {
					t.Errorf("request: %v", err)
					return
				}
				body, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if res.StatusCode != 200 || i >= 2 && string(body) != "5 <nil>" {
					t.Errorf("request: %d %q", res.StatusCode, body)
				}
				answered.Add(1)
			}
		})
	}
	client := b.client(true)
	for i := range 3 {
		mode := fmt.Sprintf("v%d", i+1)
		c = c.Clone()
		c.App("web").Env["HOST_TEST_APP"] = mode
		c.Bump(c.App("web"), false)
		b.settled(c)
		if _, body := b.get(client, "https://app.localhost/"); !strings.HasPrefix(body, mode) {
			t.Errorf("after the reload: %s, want %s", body, mode)
		}
	}
	close(stop)
	asking.Wait()
	t.Logf("%d requests over 3 reloads", answered.Load())
	if b.answered() == 0 {
		t.Error("none was answered in the express lane")
	}
}

func TestTheEndStopsAppsAndFinishesTheirAnswers(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := Config{Sites: []Site{{Domains: []string{"app.localhost"}, RedirectHTTPS: no(), Target: Target{App: "web"}}}}
	testApp(t, &c, "web", "one", 1)
	b.settled(c)
	pid := b.Status().Apps[0].Status.Instances[0].PID
	conn := b.dial("http")
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "POST /upload HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 4\r\n\r\nab")
	until(t, "the request is under way", func() bool { return b.Status().Apps[0].Figures.InFlight == 1 })
	address := b.address("http")
	stopped := make(chan bool)
	go func() { b.stop(); close(stopped) }()
	until(t, "nothing is accepted any more", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	io.WriteString(conn, "cd")
	if said, _ := closes(t, conn, 20*time.Second); !strings.HasSuffix(said, "4 <nil>") {
		t.Errorf("the request under way: %q", said)
	}
	<-stopped
	if err := exec.Command("kill", "-0", fmt.Sprint(pid)).Run(); err == nil {
		t.Errorf("process %d still runs", pid)
	}
}
