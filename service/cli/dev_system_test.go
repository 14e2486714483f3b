//go:build system && unix

package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSystemAPageInABrowserKeepsUp opens a folder of roost dev in Chromium and
// changes its files: a style sheet is swapped in the page that stands, a page
// is loaded again, and a page that was open while the server ended and began
// again hears of what has changed meanwhile.
func TestSystemAPageInABrowserKeepsUp(t *testing.T) {
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is missing; install it: make deps-system")
	}
	root := filepath.Join(t.TempDir(), "public")
	put := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(root, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("style.css", "@import 'colour.css'; p { font-weight: 300 }")
	put("colour.css", "p { color: rgb(1, 1, 1) }")
	put("index.html", "<!doctype html><link rel=stylesheet href=style.css?v=1><p>first</p>")
	end, at := runDev(t, root, "0")

	b := openBrowser(t, program)
	b.call("Page.navigate", map[string]any{"url": at})
	const looks = "document.querySelector('p').textContent + ' ' + getComputedStyle(document.querySelector('p')).color + ' ' + " +
		"getComputedStyle(document.querySelector('p')).fontWeight + ' ' + (window.mark ?? 'new') + ' ' + document.querySelectorAll('link').length"
	b.shows(looks, "first rgb(1, 1, 1) 300 new 1")
	b.eval("window.mark = 'same'")
	put("style.css", "@import 'colour.css'; p { font-weight: 700 }")
	b.shows(looks, "first rgb(1, 1, 1) 700 same 1")
	put("colour.css", "p { color: rgb(2, 2, 2) }") // imported by the other
	b.shows(looks, "first rgb(2, 2, 2) 700 same 1")
	put("index.html", "<!doctype html><link rel=stylesheet href=style.css><p>second</p>")
	b.shows(looks, "second rgb(2, 2, 2) 700 new 1")

	b.eval("window.mark = 'same'")
	end()
	put("index.html", "<!doctype html><p>third</p>")
	_, port, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(at, "http://"), "/"), ":")
	end, _ = runDev(t, root, port)
	b.shows(looks, "third rgb(0, 0, 0) 400 new 0")
	if err := os.Remove(filepath.Join(root, "index.html")); err != nil {
		t.Fatal(err)
	}
	b.shows("document.body.textContent.includes('colour.css') + ''", "true") // the folder is listed
	put("index.html", "<p>fourth</p>")
	b.shows("document.querySelector('p')?.textContent", "fourth") // the listing reloads as well
	end()
}

// runDev runs roost dev until end, or the end of the test, and returns its address.
func runDev(t *testing.T, root, port string) (end func(), at string) {
	t.Helper()
	roost, err := exec.LookPath("roost")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(roost, "dev", root, "--port", port)
	cmd.Env = append(os.Environ(), "ROOST_HOME="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		begun := time.Now()
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil || time.Since(begun) > 5*time.Second {
			t.Errorf("roost dev ended after %v: %v", time.Since(begun), err)
		}
	}
	t.Cleanup(end)
	at, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return end, strings.TrimSpace(at)
}

// browser is a Chromium with one page, driven by the DevTools protocol over
// two pipes: messages are JSON, ended by a zero byte.
type browser struct {
	t       *testing.T
	to      io.Writer
	from    *bufio.Reader
	last    int
	session string
}

func openBrowser(t *testing.T, program string) *browser {
	t.Helper()
	in, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
		"--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{in, out} // 3 and 4
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	out.Close()
	if err := from.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, to: to, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		_ = b.send("Browser.close", nil)
		if err := cmd.Wait(); err != nil {
			t.Errorf("chromium: %v", err)
		}
		to.Close()
		from.Close()
		if t.Failed() {
			t.Logf("chromium said:\n%s", said.String())
		}
	})
	var target struct{ TargetID string }
	b.into(&target, "Target.createTarget", map[string]any{"url": "about:blank"})
	var attached struct{ SessionID string }
	b.into(&attached, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true})
	b.session = attached.SessionID
	return b
}

func (b *browser) send(method string, params any) error {
	b.last++
	message := map[string]any{"id": b.last, "method": method, "params": params}
	if params == nil {
		delete(message, "params")
	}
	if b.session != "" && !strings.HasPrefix(method, "Browser.") {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err == nil {
		_, err = b.to.Write(append(text, 0))
	}
	return err
}

// call gives a command and returns its result; events are passed over.
func (b *browser) call(method string, params any) (json.RawMessage, error) {
	if err := b.send(method, params); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	for {
		text, err := b.from.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var reply struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(text[:len(text)-1], &reply); err != nil {
			b.t.Fatalf("%s: %v: %s", method, err, text)
		}
		switch {
		case reply.ID != b.last:
		case reply.Error != nil:
			return nil, fmt.Errorf("%s: %s", method, reply.Error.Message)
		default:
			return reply.Result, nil
		}
	}
}

func (b *browser) into(result any, method string, params any) {
	b.t.Helper()
	text, err := b.call(method, params)
	if err == nil {
		err = json.Unmarshal(text, result)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// eval is the value of an expression in the page, or what keeps it from having one.
func (b *browser) eval(expression string) string {
	text, err := b.call("Runtime.evaluate", map[string]any{"expression": expression})
	if err != nil {
		return err.Error() // the page is just being loaded
	}
	var reply struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Text string }
	}
	if err := json.Unmarshal(text, &reply); err != nil {
		return err.Error()
	}
	if reply.ExceptionDetails != nil {
		return reply.ExceptionDetails.Text
	}
	return fmt.Sprint(reply.Result.Value)
}

// shows waits until an expression has a value.
func (b *browser) shows(expression, want string) {
	b.t.Helper()
	got := ""
	for over := time.Now().Add(deadline); ; {
		if got = b.eval(expression); got == want {
			return
		}
		if time.Now().After(over) {
			b.t.Fatalf("the page shows %q, not %q", got, want)
		}
		<-time.After(20 * time.Millisecond)
	}
}
