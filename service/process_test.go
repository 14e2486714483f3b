//go:build unix

package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"roost/host"
	"roost/internal/httplint"
	"roost/service/control"
)

// daemonKind is the variable that makes this test binary a daemon, with a
// fake host or the real one.
const daemonKind = "ROOST_TEST_DAEMON"

// clientOf is the variable that makes it a client, which pings a socket.
const clientOf = "ROOST_TEST_CLIENT"

func TestMain(m *testing.M) {
	if socket := os.Getenv(clientOf); socket != "" {
		_, err := control.Dial(socket).Ping(context.Background())
		fmt.Printf("%s: %v", code(err), err)
		os.Exit(0)
	}
	kind := os.Getenv(daemonKind)
	if kind == "" {
		os.Exit(httplint.Run(m))
	}
	d, err := FindDirs(os.Getenv)
	if err == nil {
		o := Options{Dirs: d, File: os.Getenv("ROOST_TEST_FILE"), Words: slog.NewTextHandler(os.Stderr, nil)}
		if kind == "fake" {
			o.host = withFake(&fakeBox{settle: func(ctx context.Context, c host.Config) error {
				if c.App("never") != nil {
					<-ctx.Done()
				}
				return ctx.Err()
			}})
		}
		err = Run(context.Background(), o)
	}
	if err != nil {
		io.WriteString(os.Stderr, "ended: "+err.Error()+"\n")
		os.Exit(1)
	}
	os.Exit(0)
}

// child is a daemon in a process of its own.
type child struct {
	*control.Client
	cmd   *exec.Cmd
	ended chan error
	said  *bytes.Buffer // read only after the end
}

func spawn(t *testing.T, dirs Dirs, kind string, env ...string) *child {
	t.Helper()
	c := &child{Client: control.Dial(dirs.Socket()), cmd: exec.Command(os.Args[0]), ended: make(chan error, 1), said: &bytes.Buffer{}}
	c.cmd.Env = append(append(os.Environ(), daemonKind+"="+kind, "ROOST_HOME="+dirs.State), env...)
	c.cmd.Stderr = c.said
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.ended <- c.cmd.Wait() }()
	t.Cleanup(func() { // in order, or its apps would be left
		c.cmd.Process.Signal(syscall.SIGTERM)
		c.wait(t)
	})
	eventually(t, "the child answers", func() bool {
		select {
		case err := <-c.ended:
			c.ended <- err
			t.Fatalf("the child ended: %v\n%s", err, c.said)
		default:
		}
		pong, err := c.Ping(t.Context())
		return err == nil && pong.PID == c.cmd.Process.Pid
	})
	return c
}

func (c *child) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-c.ended:
		c.ended <- err
		return err
	case <-time.After(limit):
		t.Fatal("the child does not end")
		return nil
	}
}

func (c *child) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func TestAcknowledgedChangesSurviveAKillInTheMiddleOfTheNext(t *testing.T) {
	dirs, path := home(t), script(t)
	c := spawn(t, dirs, "fake")
	if _, err := c.Start(t.Context(), newApp("kept", path, 2), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Act(t.Context(), control.ActRequest{Verb: "stop", Targets: []string{"1"}}, nil); err != nil {
		t.Fatal(err)
	}
	news, answer := make(chan string, 100), make(chan error, 1)
	go func() {
		_, err := c.Start(t.Context(), newApp("never", path, 1), func(s string) { news <- s })
		answer <- err
	}()
	<-news // the change is being made
	c.signal(t, syscall.SIGKILL)
	c.wait(t)
	if err := <-answer; err == nil || !strings.Contains(err.Error(), "may or may not") {
		t.Errorf("the change that was cut got %v", err)
	}

	again := spawn(t, dirs, "fake")
	rows, err := again.Instances(t.Context(), nil)
	if err != nil || !slices.Equal(states(rows), []string{"kept:ready", "kept:stopped"}) {
		t.Errorf("after the crash: %v, %v", states(rows), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dirs.State, ".state*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSignalsEndTheDaemonWithoutTouchingWhatIsWanted(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dirs := home(t)
		c := spawn(t, dirs, "fake")
		if _, err := c.Start(t.Context(), newApp("web", script(t), 1), nil); err != nil {
			t.Fatal(err)
		}
		c.signal(t, syscall.SIGPIPE) // a pager that went away: nothing
		c.signal(t, s)
		if err := c.wait(t); err != nil {
			t.Errorf("%v: %v\n%s", s, err, c.said)
		}
		if got := stored(t, dirs.State); got.App("web") == nil || got.App("web").Slots[0].Stopped {
			t.Errorf("%v: %+v is left", s, got.Apps)
		}
		if _, err := os.Lstat(dirs.Socket()); err == nil {
			t.Errorf("%v: the socket is left behind", s)
		}
		log, _ := os.ReadFile(filepath.Join(dirs.Logs, "roost.log"))
		if !strings.Contains(string(log), `"msg":"ready"`) || !strings.Contains(string(log), `"msg":"shutting down"`) {
			t.Errorf("%v: roost.log has %s", s, log)
		}
	}
}

func TestSIGHUPAppliesTheFileAgain(t *testing.T) {
	dirs, path := home(t), script(t)
	file := filepath.Join(filepath.Dir(path), "roost.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	app := func(name string) string { return "[[app]]\nname = \"" + name + "\"\nscript = \"app.sh\"\n" }
	write(app("one"))
	c := spawn(t, dirs, "fake", "ROOST_TEST_FILE="+file)
	has := func(want ...string) func() bool {
		return func() bool {
			rows, err := c.Instances(t.Context(), nil)
			var got []string
			for _, r := range rows {
				got = append(got, r.App)
			}
			return err == nil && slices.Equal(got, want)
		}
	}
	eventually(t, "one", has("one"))
	write(app("one") + app("two"))
	c.signal(t, syscall.SIGHUP)
	eventually(t, "one and two", has("one", "two"))

	write("nonsense")
	c.signal(t, syscall.SIGHUP)
	eventually(t, "the problem is logged", func() bool {
		log, _ := os.ReadFile(filepath.Join(dirs.Logs, "roost.log"))
		return strings.Contains(string(log), "cannot apply the config file again")
	})
	if !has("one", "two")() {
		t.Error("a file with problems changed something")
	}
	if s, err := c.Status(t.Context()); err != nil || s.File != file {
		t.Errorf("status names the file %q, %v", s.File, err)
	}
}

func TestTheServiceManagerIsTold(t *testing.T) {
	dirs := home(t)
	if err := dirs.make(); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dirs.State, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.SetReadDeadline(time.Now().Add(limit))
	hear := func(want string) {
		t.Helper()
		buf := make([]byte, 256)
		for {
			n, err := l.Read(buf)
			if err != nil {
				t.Fatalf("waiting for %s: %v", want, err)
			}
			if string(buf[:n]) == want {
				return
			}
		}
	}
	c := spawn(t, dirs, "fake", "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=40000")
	hear("READY=1")
	hear("WATCHDOG=1")
	c.signal(t, syscall.SIGTERM)
	hear("STOPPING=1")
	if err := c.wait(t); err != nil {
		t.Error(err)
	}
}

func TestASecondProcessOnOneHomeNamesTheFirst(t *testing.T) {
	dirs := home(t)
	c := spawn(t, dirs, "fake")
	_, err := tryBegin(t, Options{Dirs: dirs, host: withFake(&fakeBox{})})
	var e *control.Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, "process "+itoa(c.cmd.Process.Pid)) {
		t.Errorf("got %v", err)
	}
}
