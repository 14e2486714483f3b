// Package examples_test starts every example as a user would, asks it over HTTPS and stops it.
package examples_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"roost/internal/httplint"
	"roost/internal/testport"
)

const patience = time.Minute // for anything that must happen; a test that waits so long has failed

var roost string // the program, built once

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "roost-examples-")
	if err != nil {
		panic(err)
	}
	roost = filepath.Join(dir, "roost")
	if out, err := exec.Command("go", "build", "-o", roost, "..").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build roost: %v\n%s", err, out)
		os.Exit(1)
	}
	code := httplint.Run(m)
	os.RemoveAll(dir)
	os.Exit(code)
}

// box is one running example.
type box struct {
	t      *testing.T
	dir    string // a copy of the example
	env    []string
	client *http.Client
	apps   bool   // answers are made by apps, not by folders
	https  string // bound address
	roots  *x509.CertPool
}

// start copies the example, moves it to free ports, builds its Go programs and runs it in the foreground.
func start(t *testing.T, example string, builds map[string]string) *box {
	t.Helper()
	b := place(t, example)
	for pkg, to := range builds {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(b.dir, to), pkg).CombinedOutput(); err != nil {
			t.Fatalf("cannot build %s: %v\n%s", pkg, err, out)
		}
	}
	b.run()
	return b
}

// place copies the example and moves it to free ports.
func place(t *testing.T, example string) *box {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("node is missing; install it: make deps")
	}
	home, err := os.MkdirTemp("", "roost-home-") // short: sockets live below it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	b := &box{t: t, dir: filepath.Join(t.TempDir(), example), apps: example != "static", env: append(os.Environ(), "ROOST_HOME="+home, "NO_COLOR=1")}
	if err := os.CopyFS(b.dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(b.dir, "roost.toml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	free := strings.NewReplacer(`":8080"`, `"127.0.0.1:0"`, `":8443"`, `"127.0.0.1:0"`).Replace(string(text))
	free = regexp.MustCompile(`port +=.*`).ReplaceAllStringFunc(free, func(string) string { return fmt.Sprint("port = ", testport.Free(t)) })
	if err := os.WriteFile(config, []byte(free), 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(b.dir, "api", "server.js") // asks for port 3000 itself
	if text, err := os.ReadFile(script); err == nil {
		text = bytes.ReplaceAll(text, []byte("|| 3000"), []byte(fmt.Sprint("|| ", testport.Free(t))))
		if err := os.WriteFile(script, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// run runs the copy in the foreground until the test ends.
func (b *box) run() {
	b.t.Helper()
	t := b.t
	var output bytes.Buffer
	run := exec.Command(roost, "run", filepath.Join(b.dir, "roost.toml"))
	run.Env, run.Stdout, run.Stderr = b.env, &output, &output
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	t.Cleanup(func() {
		run.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("roost run ended with %v", err)
			}
		case <-time.After(patience):
			run.Process.Kill()
			t.Error("roost run did not end on SIGTERM")
		}
		if t.Failed() {
			t.Logf("roost run printed:\n%s", output.String())
		}
	})
	b.until("its listeners to be up", func() error {
		var status struct {
			Listeners []struct{ Name, Address string }
		}
		if err := b.json(&status, "status", "--json"); err != nil {
			return err
		}
		for _, l := range status.Listeners {
			if l.Name == "https" && l.Address != "" {
				b.https = l.Address
				return nil
			}
		}
		return fmt.Errorf("no https listener in %+v", status)
	})
	root, err := b.roost("ca", "show")
	if err != nil {
		t.Fatal(err)
	}
	b.roots = x509.NewCertPool()
	if !b.roots.AppendCertsFromPEM(root) {
		t.Fatalf("roost ca show printed no certificate: %s", root)
	}
	b.client = &http.Client{Timeout: patience, Transport: &httplint.Transport{T: b.t, Apps: b.apps, Base: &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: b.roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", b.https)
		},
	}}}
	t.Cleanup(b.client.CloseIdleConnections)
}

func (b *box) roost(args ...string) ([]byte, error) {
	cmd := exec.Command(roost, args...)
	cmd.Env = b.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("roost %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return out, err
}

func (b *box) json(into any, args ...string) error {
	out, err := b.roost(args...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, into)
}

// until polls check until it returns nil.
func (b *box) until(what string, check func() error) {
	b.t.Helper()
	deadline := time.After(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			b.t.Fatalf("waited in vain for %s: %v", what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// get asks until the answer has the status, and returns its body.
func (b *box) get(url string, status int) (body string) {
	b.t.Helper()
	b.until(fmt.Sprintf("%s to answer %d", url, status), func() error {
		response, err := b.client.Get(url)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if body = string(text); err == nil && response.StatusCode != status {
			err = fmt.Errorf("status %d: %.200s", response.StatusCode, body)
		}
		return err
	})
	return body
}

func (b *box) want(body, part string) {
	b.t.Helper()
	if !strings.Contains(body, part) {
		b.t.Errorf("%q is not in %q", part, body)
	}
}

func TestTheBoxServesTwoFoldersAndTwoApps(t *testing.T) {
	t.Parallel()
	b := start(t, "box", map[string]string{"./box/clock": "clock/clock"})
	b.want(b.get("https://localhost/", 200), "This box runs")
	b.want(b.get("https://localhost/missing", 404), "This page is the file")
	b.want(b.get("https://docs.localhost/guide/", 200), "leads to")
	b.want(b.get("https://clock.localhost/", 200), "says instance")
	if _, err := b.client.Get("https://unknown.localhost/"); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("the handshake for an unknown domain ended with %v, want unrecognized name", err)
	}

	seen := map[int]bool{}
	b.until("both instances of the api to answer", func() error {
		var answer struct{ Instance int }
		if err := json.Unmarshal([]byte(b.get("https://localhost/api/hello", 200)), &answer); err != nil {
			return err
		}
		if seen[answer.Instance] = true; len(seen) < 2 {
			return fmt.Errorf("only %v answered", seen)
		}
		return nil
	})

	var list []struct {
		App   string
		State string
		PID   int
	}
	if err := b.json(&list, "list", "--json"); err != nil {
		t.Fatal(err)
	}
	if len(list) != 4 {
		t.Errorf("list has %d instances, want 4: %+v", len(list), list)
	}
	if _, err := b.roost("reload", "all"); err != nil {
		t.Error(err)
	}
	if _, err := b.roost("stop", "clock"); err != nil {
		t.Error(err)
	}
	b.get("https://clock.localhost/", 503)
	b.get("https://localhost/api/hello", 200)
}

func TestTheNodeExampleIsReachedBothWays(t *testing.T) {
	t.Parallel()
	b := start(t, "node", nil)
	b.want(b.get("https://localhost/", 200), "hello from instance")
	text, err := os.ReadFile(filepath.Join(b.dir, "roost.toml"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "port = ")
	port, _, _ := strings.Cut(rest, "\n")
	b.until("the app's own port to answer", func() error {
		response, err := (&http.Client{Transport: &http.Transport{}}).Get("http://127.0.0.1:" + port)
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
}

func TestTheGoExampleListensOnItsHandedSocketAndItsWorkerLogs(t *testing.T) {
	t.Parallel()
	b := start(t, "go", map[string]string{"./go": "hello"})
	b.want(b.get("https://localhost/", 200), "to 127.0.0.1")
	b.until("the worker's output", func() error {
		out, err := b.roost("logs", "beat")
		if err == nil && !bytes.Contains(out, []byte("beat 1")) {
			err = fmt.Errorf("logs printed %q", out)
		}
		return err
	})
}

func TestTheStaticExampleServesFilesAndASinglePageApp(t *testing.T) {
	t.Parallel()
	b := start(t, "static", nil)
	b.want(b.get("https://localhost/", 200), "A folder")
	b.want(b.get("https://localhost/nothing", 404), "Not here")
	for path, to := range map[string]string{"start": "/", "spa/any/path": "/app/any/path"} {
		r, err := b.client.Transport.RoundTrip(httptest.NewRequest("GET", "https://localhost/"+path, nil))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.Header.Get("Location") != to || r.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("/%s leads to %q, with %v", path, r.Header.Get("Location"), r.Header)
		}
	}
	request, _ := http.NewRequest("GET", "https://localhost/app/any/path", nil)
	request.Header.Set("Accept", "text/html")
	response, err := b.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != 200 || !strings.Contains(string(text), "One page for every path") {
		t.Errorf("the single-page app answered %d %q", response.StatusCode, text)
	}
}
