package examples_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"roost/internal/httplint"
)

// npmFolder is where what a folder's package-lock.json says is installed.
func npmFolder(t *testing.T, folder string) string {
	t.Helper()
	out, err := exec.Command("../internal/testcache/npm", "-n", folder).Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatal(string(bytes.TrimSpace(failed.Stderr)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestRealProgramsOfNpmAreReloadedUnderLoadWithoutAFailedRequest(t *testing.T) {
	t.Parallel()
	b := place(t, "npm")
	plain, next := npmFolder(t, "npm"), npmFolder(t, "npm/next")
	for link, to := range map[string]string{"node_modules": plain + "/node_modules", "next/node_modules": next + "/node_modules", "next/.next": next + "/.next"} {
		path := filepath.Join(b.dir, link)
		os.RemoveAll(path) // somebody's own
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
	}
	b.run()
	for _, app := range []string{"express", "fastify", "koa"} {
		b.want(b.get("https://"+app+".localhost/", 200), `"app":"`+app+`"`)
		b.want(b.get("https://"+app+".localhost/", 200), `"https":true`)
	}
	b.want(b.get("https://next.localhost/", 200), "next in slot")
	b.want(b.get("https://next.localhost/api/hello", 200), `"https":true`)
	before := b.pids()

	l := b.load()
	for _, app := range []string{"express", "fastify", "koa"} {
		l.over(b.client, "GET", "https://"+app+".localhost/", "")
		l.over(b.fresh(), "POST", "https://"+app+".localhost/echo", `{"n":1}`)
	}
	l.over(b.client, "GET", "https://next.localhost/", "")
	l.over(b.fresh(), "GET", "https://next.localhost/api/hello", "")
	talk := b.talk()
	talk.more(3)
	l.more(20)
	if _, err := b.roost("reload", "all"); err != nil {
		t.Error(err)
	}
	talk.more(3)
	l.more(20)
	answers := l.end()
	if slots := talk.end(); len(slots) == 0 {
		t.Error("no session of Socket.IO has been answered")
	} else {
		for name, seen := range slots {
			if len(seen) != 1 {
				t.Errorf("a sticky session of Socket.IO (%s) was answered by slots %v", name, seen)
			}
		}
	}
	t.Logf("%d answers", answers)
	for id, pid := range b.pids() {
		if pid == before[id] || before[id] == 0 {
			t.Errorf("instance %d has the process %d, and before the reload %d", id, pid, before[id])
		}
	}
}

// pids are the processes of the instances, by id.
func (b *box) pids() map[int]int {
	b.t.Helper()
	var list []struct {
		ID    int
		PID   int
		State string
	}
	if err := b.json(&list, "list", "--json"); err != nil {
		b.t.Fatal(err)
	}
	pids := map[int]int{}
	for _, in := range list {
		if in.State == "ready" {
			pids[in.ID] = in.PID
		}
	}
	if len(pids) != 12 {
		b.t.Errorf("%d instances are ready, want 12: %+v", len(pids), list)
	}
	return pids
}

// fresh is a client that makes a connection for each request.
func (b *box) fresh() *http.Client {
	return &http.Client{Timeout: patience, Transport: &httplint.Transport{T: b.t, Apps: true, Base: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: b.roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", b.https)
		},
	}}}
}

// load is clients that ask one after the other until it ends.
type load struct {
	t       *testing.T
	stop    chan struct{}
	clients sync.WaitGroup
	counts  []*atomic.Int64
	failed  atomic.Pointer[error]
}

func (b *box) load() *load {
	l := &load{t: b.t, stop: make(chan struct{})}
	b.t.Cleanup(func() { l.end() })
	return l
}

// over starts a client.
func (l *load) over(c *http.Client, method, url, body string) {
	count := new(atomic.Int64)
	l.counts = append(l.counts, count)
	l.clients.Go(func() {
		for {
			select {
			case <-l.stop:
				return
			default:
			}
			if err := once(c, method, url, body); err != nil {
				err = fmt.Errorf("%s %s: %w", method, url, err)
				l.failed.CompareAndSwap(nil, &err)
				return
			}
			count.Add(1)
		}
	})
}

func once(c *http.Client, method, url, body string) error {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	if request.GetBody = nil; body != "" { // the client itself must not try again
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode != 200:
		return fmt.Errorf("status %d: %.200s", response.StatusCode, text)
	case body != "" && string(text) != body:
		return fmt.Errorf("the echo of %s is %.200s", body, text)
	}
	return nil
}

// more waits until each client has got n more answers.
func (l *load) more(n int64) {
	l.t.Helper()
	deadline := time.After(patience)
	for _, count := range l.counts {
		for want := count.Load() + n; count.Load() < want; {
			if err := l.failed.Load(); err != nil {
				l.t.Fatal(*err)
			}
			select {
			case <-deadline:
				l.t.Fatal("waited in vain for answers")
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
}

// end ends the clients and returns how many answers they got.
func (l *load) end() (answers int64) {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.clients.Wait()
	if err := l.failed.Swap(nil); err != nil {
		l.t.Error(*err)
	}
	for _, count := range l.counts {
		answers += count.Load()
	}
	return answers
}

// talk is npm/client.js: websockets and sessions of Socket.IO.
type talk struct {
	t     *testing.T
	input io.Closer
	lines chan progress
	last  progress
	done  func() error
}

type progress struct {
	Rounds int
	Slots  map[string][]string
}

func (b *box) talk() *talk {
	b.t.Helper()
	root, err := b.roost("ca", "show")
	if err != nil {
		b.t.Fatal(err)
	}
	ca := filepath.Join(b.t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, root, 0o600); err != nil {
		b.t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(b.https)
	var stderr bytes.Buffer
	client := exec.Command("node", "client.js", port, ca)
	client.Dir, client.Stderr = b.dir, &stderr
	input, _ := client.StdinPipe()
	output, _ := client.StdoutPipe()
	if err := client.Start(); err != nil {
		b.t.Fatal(err)
	}
	k := &talk{t: b.t, input: input, lines: make(chan progress)}
	go func() {
		defer close(k.lines)
		for s := bufio.NewScanner(output); s.Scan(); {
			var p progress
			if err := json.Unmarshal(s.Bytes(), &p); err == nil {
				k.lines <- p
			}
		}
	}()
	k.done = sync.OnceValue(func() error {
		input.Close()
		for k.last = range k.lines {
		}
		err := client.Wait()
		if err != nil {
			err = fmt.Errorf("the client of the websockets: %w: %s", err, stderr.String())
		}
		return err
	})
	b.t.Cleanup(func() { k.done() })
	return k
}

// more waits until every connection has been served n times more.
func (k *talk) more(n int) {
	k.t.Helper()
	deadline := time.After(patience)
	for want := k.last.Rounds + n; k.last.Rounds < want; {
		select {
		case p, ok := <-k.lines:
			if !ok {
				k.t.Fatal(cmp.Or(k.done(), errors.New("the client of the websockets has ended")))
			}
			k.last = p
		case <-deadline:
			k.t.Fatal("waited in vain for the websockets")
		}
	}
}

// end ends the client and returns the slots that have answered each session.
func (k *talk) end() map[string][]string {
	k.t.Helper()
	slots := k.last.Slots
	if err := k.done(); err != nil {
		k.t.Error(err)
	}
	for _, s := range slots {
		slices.Sort(s)
	}
	return slots
}
