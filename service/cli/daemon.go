package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// Spawn starts this program as a daemon with these folders, in the background,
// waits until it answers and returns a client for it.
func Spawn(ctx context.Context, dirs service.Dirs) (*control.Client, error) {
	client := control.Dial(dirs.Socket())
	return client, (&console{}).spawn(ctx, client, dirs)
}

// spawn starts this program as a daemon and waits until it answers. Another
// daemon may hold the lock of this home for a while: one that another command
// has just started, which then answers, or one that is ending.
func (c *console) spawn(ctx context.Context, client *control.Client, dirs service.Dirs) error {
	if err := os.MkdirAll(dirs.Logs, 0o700); err != nil {
		return fmt.Errorf("cannot make the log folder: %w", err)
	}
	words, err := openWords(filepath.Join(dirs.Logs, "roost-stderr.log"))
	if err != nil {
		return fmt.Errorf("cannot start a daemon: %w", err)
	}
	defer words.file.Close()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	failure := func() error { return words.failure("see why: " + c.command("run")) }
	exit, err := c.launch(words.file, dirs)
	again := (<-chan time.Time)(nil) // when another daemon held the home
	for err == nil {
		if _, err := client.Ping(ctx); err == nil {
			return nil
		}
		select {
		case code := <-exit:
			if code != exitHeld {
				return failure()
			}
			again = time.After(100 * time.Millisecond)
		case <-again:
			again = nil
			exit, err = c.launch(words.file, dirs)
		case <-ctx.Done():
			if again != nil {
				return failure()
			}
			return fmt.Errorf("the daemon was started in the background but does not answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return err
}

// launch starts this program in a session of its own, without a terminal, and
// returns its exit code when it ends.
func (c *console) launch(words *os.File, dirs service.Dirs) (exit <-chan int, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program to start a daemon: %w", err)
	}
	cmd := exec.Command(self, "run", "--background")
	cmd.Args[0] = os.Args[0]
	if dirs.PM2 != "" {
		cmd.Args = []string{"roost", "run", "--background", "--pm2", dirs.PM2}
	}
	cmd.Dir = rootDir()
	if c.home != "" { // it may be relative to the folder that we are in
		home, err := filepath.Abs(c.home)
		if err != nil {
			return nil, fmt.Errorf("cannot find the folder of ROOST_HOME: %w", err)
		}
		cmd.Env = append(os.Environ(), "ROOST_HOME="+home)
	}
	cmd.Stdout, cmd.Stderr = words, words
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start a daemon: %w", err)
	}
	ended := make(chan int, 1)
	go func() {
		_ = cmd.Wait() // what it had to say is in the file
		ended <- cmd.ProcessState.ExitCode()
	}()
	return ended, nil
}

// exitHeld is how a daemon in the background says, to the command that has
// started it, that another one holds the home.
const exitHeld = 3
