package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"roost/service"
	"roost/service/control"
	"roost/service/install"
)

// startTimeout bounds the wait for a daemon that was started in the background.
const startTimeout = 20 * time.Second

// client speaks to the daemon that this user's commands go to; nobody need run there.
func (c *console) client() (*control.Client, error) {
	socket, _, err := service.Locate()
	if err != nil {
		return nil, err
	}
	return control.Dial(socket), nil
}

// daemon is client, after a daemon has been started where none ran.
func (c *console) daemon(ctx context.Context) (*control.Client, error) {
	socket, dirs, err := service.Locate()
	if err != nil {
		return nil, err
	}
	client := control.Dial(socket)
	if _, err := client.Ping(ctx); !errors.Is(err, control.ErrNotRunning) {
		return client, err
	}
	if c.home == "" && install.Privileged() && install.Present(ctx) {
		return nil, &control.Error{
			Code:    control.CodeConflict,
			Message: "the service is installed but does not run",
			Hint:    "start it: " + c.command("service start"),
		}
	}
	if err := c.spawn(ctx, client, dirs); err != nil {
		return nil, err
	}
	c.say("started a daemon in the background; logs in %s", dirs.Logs)
	return client, nil
}

// spawn starts this program as a daemon: a session of its own, no terminal, its
// last words in a file.
func (c *console) spawn(ctx context.Context, client *control.Client, dirs service.Dirs) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find this program to start a daemon: %w", err)
	}
	if err := os.MkdirAll(dirs.Logs, 0o700); err != nil {
		return fmt.Errorf("cannot make the log folder: %w", err)
	}
	words, err := openWords(filepath.Join(dirs.Logs, "roost-stderr.log"))
	if err != nil {
		return fmt.Errorf("cannot start a daemon: %w", err)
	}
	defer words.file.Close()
	cmd := exec.Command(self, "run", "--background")
	cmd.Args[0] = os.Args[0]
	cmd.Dir = rootDir()
	if c.home != "" { // it may be relative to the folder that we are in
		home, err := filepath.Abs(c.home)
		if err != nil {
			return fmt.Errorf("cannot find the folder of ROOST_HOME: %w", err)
		}
		cmd.Env = append(os.Environ(), "ROOST_HOME="+home)
	}
	cmd.Stdout, cmd.Stderr = words.file, words.file
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start a daemon: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // what it had to say is in the file
		close(ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err = client.Ping(ctx); err == nil {
			return nil
		}
		select {
		case <-ended:
			if _, err := client.Ping(ctx); err == nil {
				return nil // another command has started one at the same time
			}
			return words.failure("see why: " + c.command("run"))
		case <-ctx.Done():
			return fmt.Errorf("the daemon was started in the background but does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// lastWords is the file that a daemon in the background writes what it cannot
// log: why it could not start, or a crash.
type lastWords struct {
	file *os.File
	from int64 // where this daemon's words begin
}

func openWords(path string) (lastWords, error) {
	const most = 1 << 20
	mode := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > most {
		mode |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, mode, 0o600)
	if err != nil {
		return lastWords{}, err
	}
	from, err := f.Seek(0, io.SeekEnd)
	return lastWords{f, from}, err
}

// failure is what the daemon said before it ended, as an error: problems of a
// config, then the message, then the hint, as every command prints them. A
// crash has no message, only a trace.
func (w lastWords) failure(hint string) error {
	e := &control.Error{Code: control.CodeFailed, Message: "the daemon ended at once", Hint: hint}
	text, err := os.ReadFile(w.file.Name())
	if err != nil || int64(len(text)) <= w.from {
		return e
	}
	var lines []string
	for line := range strings.Lines(string(bytes.TrimSpace(text[w.from:]))) {
		line = strings.TrimRight(line, "\n")
		if what, ok := strings.CutPrefix(line, "roost: "); ok {
			e.Message, e.Hint = "cannot start a daemon: "+what, ""
			e.Problems, lines = append(e.Problems, lines...), nil
		} else if hint, ok := strings.CutPrefix(line, "hint: "); ok {
			e.Hint = hint
		} else {
			lines = append(lines, line)
		}
	}
	e.Output = lines
	if len(e.Problems) > 0 {
		e.Code = control.CodeInvalid
	}
	return e
}

// program is how the user calls this program: by its name where the shell
// finds this very file under it, else by path.
func program() string {
	self, err := os.Executable()
	if err != nil {
		return "roost"
	}
	if found, err := exec.LookPath("roost"); err == nil && sameFile(found, self) {
		return "roost"
	}
	if cwd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(cwd, self); err == nil && !strings.HasPrefix(rel, "..") {
			return "." + string(filepath.Separator) + shellQuote(rel)
		}
	}
	return shellQuote(self)
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
