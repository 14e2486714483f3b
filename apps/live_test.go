//go:build unix

package apps

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"roost/internal/httplint"
)

// liveApp is an App that runs real processes.
type liveApp struct {
	*App
	t    testing.TB
	dir  string // of its files
	run  string // RunDir
	stop func() // ends Run and waits
}

// live runs an app until the test ends, and shows that nothing of it is left
// then: no goroutine, no socket, no process.
func live(t testing.TB) *liveApp {
	t.Helper()
	before := goleak.IgnoreCurrent()
	run, err := os.MkdirTemp("", "roost")
	if err != nil {
		t.Fatal(err)
	}
	a := &liveApp{t: t, dir: t.TempDir(), run: run}
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	a.App = New(Options{RunDir: run, LogDir: a.dir, Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stopped := false
	a.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run = %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Errorf("Run has not returned; status %+v", a.Status())
		}
	}
	t.Cleanup(func() {
		a.stop()
		left, _ := filepath.Glob(filepath.Join(run, "*"))
		for _, path := range left {
			if !strings.HasPrefix(filepath.Base(path), "hook-") && filepath.Base(path) != idFile {
				t.Errorf("left behind: %s", path)
			}
		}
		os.RemoveAll(run)
		http.DefaultClient.CloseIdleConnections()
		if err := goleak.Find(before); err != nil {
			t.Error(err)
		}
	})
	return a
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", strings.TrimSpace(string(p)))
	return len(p), nil
}

// file writes a file into the app's folder and returns its path.
func (a *liveApp) file(name, text string) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// node is an app of so many instances of a Node script.
func (a *liveApp) node(name, text string, instances int) Wanted {
	needNode(a.t)
	return a.script(a.file(name, text), instances)
}

// sh is an app of one instance of a shell script.
func (a *liveApp) sh(text string) Wanted {
	w := a.script(a.file("app.sh", text), 1)
	w.Interpreter = "/bin/sh"
	return w
}

func (a *liveApp) script(path string, instances int) Wanted {
	w := Wanted{Config: Config{Name: "web", Script: path, Cwd: a.dir, KillTimeout: unitOf(5 * time.Second)}, Revision: 1}
	for n := range instances {
		w.Slots = append(w.Slots, Slot{ID: n, Revision: 1})
	}
	return w
}

// next is w in its next revision.
func next(w Wanted) Wanted {
	w.Revision++
	w.Slots = append([]Slot(nil), w.Slots...)
	for n := range w.Slots {
		w.Slots[n].Revision = w.Revision
	}
	return w
}

func needNode(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("node is missing; install it: make deps")
	}
}

// want wants w and waits until it is so.
func (a *liveApp) want(w Wanted) {
	a.t.Helper()
	if err := a.try(w); err != nil {
		f, _ := err.(*Failure)
		a.t.Fatalf("Settle = %v (%+v); status %+v", err, f, a.Status())
	}
}

func (a *liveApp) try(w Wanted) error {
	a.t.Helper()
	a.Want(w)
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	return a.Settle(ctx)
}

// get answers a request through the pool.
func (a *liveApp) get(path string) (int, string) {
	w := httplint.Record(a.t, a, httptest.NewRequest("GET", path, nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func (a *liveApp) answers(path, want string) {
	a.t.Helper()
	if code, body := a.get(path); code != 200 || body != want {
		a.t.Errorf("GET %s = %d %q, want %q", path, code, body, want)
	}
}

// instance is the row of a slot.
func (a *liveApp) instance(slot int) Instance {
	for _, in := range a.Status().Instances {
		if in.Slot == slot {
			return in
		}
	}
	return Instance{}
}

// said reports whether a program has said that line on its standard output.
func (a *liveApp) said(text string) bool {
	past := a.History()
	defer past.Close()
	lines, _ := Tail([]*History{past}, 100, func(l Line) bool { return l.Stream == "out" })
	return slices.ContainsFunc(lines, func(l Line) bool { return l.Text == text })
}

// read is what is in one of the app's files, once something is.
func (a *liveApp) read(name string) string {
	a.t.Helper()
	var text []byte
	eventually(a.t, name+" is written", func() bool {
		text, _ = os.ReadFile(filepath.Join(a.dir, name))
		return bytes.HasSuffix(text, []byte("\n"))
	})
	return strings.TrimSuffix(string(text), "\n")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// getPort asks over TCP, on a new connection.
func getPort(port int, path string) (string, error) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	resp, err := c.Get(fmt.Sprintf("http://127.0.0.1:%d%s", port, path))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// gone reports whether the process whose number is in a file has ended.
func gone(t testing.TB, path string) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	var pid int
	if _, scan := fmt.Sscan(string(text), &pid); err != nil || scan != nil {
		t.Fatalf("%s: %v %v", path, err, scan)
	}
	return ended(pid)
}
