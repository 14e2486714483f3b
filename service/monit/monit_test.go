//go:build unix

package monit_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"

	"roost/service"
	"roost/service/control"
	"roost/service/monit"
)

// limit is how long something may take that takes no time.
const limit = 30 * time.Second

// box is a real daemon in a folder of its own.
type box struct {
	t    *testing.T
	dirs service.Dirs
	file string
	stop func()
}

func newBox(t *testing.T, config string) *box {
	t.Helper()
	home, err := os.MkdirTemp("", "roost-monit-") // short: it holds sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	dirs, err := service.FindDirs(func(name string) string {
		if name == "ROOST_HOME" {
			return home
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, dirs: dirs, file: filepath.Join(home, "box.toml")}
	if err := os.WriteFile(b.file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	b.start()
	t.Cleanup(func() { b.stop() })
	return b
}

func (b *box) start() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	o := service.Options{Dirs: b.dirs, File: b.file, Log: slog.New(slog.DiscardHandler), Ready: func(service.Info) { close(ready) }}
	go func() { ended <- service.Run(ctx, o) }()
	select {
	case <-ready:
	case err := <-ended:
		b.t.Fatalf("the daemon did not start: %v", err)
	case <-time.After(limit):
		b.t.Fatal("the daemon does not start")
	}
	b.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(limit):
			b.t.Error("the daemon does not end")
		}
	})
}

// screen is the page in a terminal.
type screen struct {
	t     *testing.T
	pty   *os.File
	keys  *io.PipeWriter
	term  vt10x.Terminal
	ended chan error
}

func open(t *testing.T, b *box, cols, rows uint16) *screen {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	// keys come by a pipe: a reader of the terminal itself races with its own end
	in, keys := io.Pipe()
	s := &screen{t: t, pty: master, keys: keys, term: vt10x.New(vt10x.WithSize(int(cols), int(rows))), ended: make(chan error, 1)}
	s.resize(cols, rows)
	ctx, cancel := context.WithCancel(context.Background())
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 64<<10)
		for {
			n, err := master.Read(buf)
			if err != nil {
				return
			}
			s.term.Write(buf[:n])
		}
	}()
	go func() {
		s.ended <- monit.Run(ctx, monit.Options{
			Client: control.Dial(b.dirs.Socket()), Describe: func(a control.App) string { return "this is " + a.Name + "\n" },
			In: in, Out: slave, Environ: []string{"TERM=xterm-256color"},
		})
	}()
	t.Cleanup(func() {
		cancel()
		s.end()
		in.Close()
		slave.Close()
		master.Close()
		<-read
	})
	return s
}

func (s *screen) end() {
	s.t.Helper()
	select {
	case err := <-s.ended:
		s.ended <- err
		if err != nil {
			s.t.Errorf("the page ended with %v", err)
		}
	case <-time.After(limit):
		s.t.Error("the page does not end")
	}
}

func (s *screen) resize(cols, rows uint16) {
	if err := pty.Setsize(s.pty, &pty.Winsize{Cols: cols, Rows: rows}); err != nil {
		s.t.Fatal(err)
	}
	s.term.Resize(int(cols), int(rows))
	syscall.Kill(os.Getpid(), syscall.SIGWINCH) // the terminal is not the one of this process
}

func (s *screen) press(keys string) {
	if _, err := io.WriteString(s.keys, keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) text() string { return s.term.String() }

// shows waits until all of texts are on the screen.
func (s *screen) shows(texts ...string) {
	s.t.Helper()
	s.until(fmt.Sprintf("%q on the screen", texts), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

func (s *screen) until(what string, is func(screen string) bool) {
	s.t.Helper()
	for deadline := time.Now().Add(limit); !is(s.text()); {
		if time.Now().After(deadline) {
			s.t.Fatalf("not %s:\n%s", what, s.text())
		}
		<-time.After(20 * time.Millisecond)
	}
}

const two = `
[[app]]
name = "web"
command = "node web.js"
instances = 2
exec_mode = "fork"
min_uptime = 1

[[app]]
name = "clock"
command = "sh -c 'while :; do echo tick; sleep 0.2; done'"
min_uptime = 1
`

func twoApps(t *testing.T) *box {
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("node is missing; install it: make deps")
	}
	return newBox(t, strings.ReplaceAll(two, "node web.js", `sh -c 'echo hello from \"$NODE_APP_INSTANCE\"; exec sleep 1000'`))
}

func TestThePageShowsAppsTheirFiguresAndTheirOutput(t *testing.T) {
	s := open(t, twoApps(t), 80, 24)
	s.shows("web", "clock", "ready", "cpu", "memory", "latency", "hello from 0", "hello from 1", "quit")
	for i, line := range strings.Split(strings.TrimRight(s.text(), "\n"), "\n") {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("line %d has %d cells: %q", i, n, line)
		}
	}
	s.press("jjj") // web, its two instances, clock
	s.shows("tick", "── clock")
	s.press("k")
	s.shows("── web (id 1)", "hello from 1")
	s.press("q")
	s.end()
}

func TestKeysActOnTheChosenApp(t *testing.T) {
	b := twoApps(t)
	s := open(t, b, 100, 30)
	client := control.Dial(b.dirs.Socket())
	restarts := func(app string) (n int) {
		rows, err := client.Instances(t.Context(), []string{app})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			n += r.Restarts
		}
		return n
	}
	s.shows("hello from 1")
	s.press("r")
	s.shows("restart web: done")
	if n := restarts("web"); n != 2 {
		t.Errorf("web has restarted %d times, want 2", n)
	}
	s.press("+")
	s.shows("hello from 2", "scale web +1: done")
	s.press("s")
	s.shows("stop web? y / n")
	s.press("n")
	s.press("s")
	s.press("y")
	s.shows("stopped")
	s.press("s")
	s.until("web ready again", func(screen string) bool { return !strings.Contains(screen, "stopped") })
	if n := restarts("clock"); n != 0 {
		t.Errorf("clock has restarted %d times", n)
	}
	s.press("d")
	s.shows("this is web", "about web")
	s.press("\x1b")
	s.until("the description gone", func(screen string) bool { return !strings.Contains(screen, "this is web") })
}

func TestARefusedKeySaysWhy(t *testing.T) {
	s := open(t, newBox(t, "[[app]]\nname = \"one\"\ncommand = \"sleep 1000\"\nmin_uptime = 1\n"), 100, 24)
	s.shows("one", "ready")
	s.press("-")
	s.shows("cannot have 0 instances")
}

func TestThePageSurvivesTheDaemon(t *testing.T) {
	b := twoApps(t)
	s := open(t, b, 80, 24)
	s.shows("hello from 1")
	b.stop()
	s.shows("the daemon does not run")
	b.start()
	s.until("the page back", func(screen string) bool {
		return !strings.Contains(screen, "the daemon does not run") && strings.Contains(screen, "hello from 1")
	})
}

func TestThePageFitsAnyTerminal(t *testing.T) {
	s := open(t, twoApps(t), 80, 24)
	s.shows("hello from 1")
	for _, size := range [][2]uint16{{120, 40}, {40, 10}, {20, 5}, {80, 24}} {
		s.resize(size[0], size[1])
		s.shows("web")
	}
	s.shows("hello from 1", "quit")
}

func TestABoxWithoutAppsSaysWhatToDo(t *testing.T) {
	s := open(t, newBox(t, ""), 80, 24)
	s.shows("roost start server.js")
}
