package pm2

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"roost/apps"
	"roost/service"
	"roost/service/cli"
	"roost/service/control"
	"roost/service/install"
)

// home finds the daemon that the commands go to: that of $PM2_HOME, else the
// system's roost if this user may command it, else that of ~/.pm2. Nobody need run there.
func home() (service.Dirs, error) {
	dir := os.Getenv("PM2_HOME")
	if dir == "" {
		if d, answers := service.SystemDirs(); answers {
			return d, nil
		}
		user, err := os.UserHomeDir()
		if err != nil {
			return service.Dirs{}, fmt.Errorf("cannot find this user's home folder; set PM2_HOME: %w", err)
		}
		dir = filepath.Join(user, ".pm2")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return service.Dirs{}, fmt.Errorf("cannot find the folder of PM2_HOME: %w", err)
	}
	return service.PM2Dirs(dir), nil
}

// folder is where dump.pm2 and module_conf.json are.
func (s *session) folder() string {
	if s.dirs.PM2 != "" {
		return s.dirs.PM2
	}
	return s.dirs.State
}

// locate sets the session's folders and client.
func (s *session) locate() (err error) {
	if s.dirs, err = home(); err != nil {
		return err
	}
	s.client = control.Dial(s.dirs.Socket())
	return nil
}

// open is locate, after a daemon has been started where none ran. quiet keeps
// the words about that from stdout, for commands whose output programs read.
func (s *session) open(quiet bool) error {
	if err := s.locate(); err != nil {
		return err
	}
	if _, err := s.client.Ping(s.ctx); !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	say := s.say
	if quiet {
		say = func(format string, args ...any) {
			if !s.silent {
				fmt.Fprintf(s.err, "[PM2] "+format+"\n", args...)
			}
		}
	}
	if err := s.original(); err != nil {
		return err
	}
	if s.has("no-daemon") {
		return s.foreground()
	}
	if unit := (install.AtBoot{Name: "pm2-" + currentUser(), User: currentUser(), Home: s.folder()}); unit.Starting(s.ctx) {
		say("systemd is starting the daemon: waiting for it")
		s.fresh = true
		return s.await()
	}
	say("Spawning PM2 daemon with pm2_home=%s", s.folder())
	if _, err := cli.Spawn(s.ctx, s.dirs); err != nil {
		return err
	}
	say("PM2 Successfully daemonized")
	s.fresh = true
	return s.settle()
}

// foreground runs the daemon in this process, for --no-daemon.
func (s *session) foreground() error {
	o, err := cli.DaemonOptions(s.folder())
	if err != nil {
		return err
	}
	s.say("Launching in no daemon mode")
	ready, ended := make(chan struct{}), make(chan error, 1)
	o.Ready = func(service.Info) { close(ready) }
	go func() { ended <- service.Run(context.WithoutCancel(s.ctx), o) }() // it minds signals itself
	select {
	case <-ready:
	case err := <-ended:
		return err
	}
	s.fresh, s.daemon = true, ended
	return s.settle()
}

// stay goes on with the logs for as long as the daemon in this process runs,
// which it does until a signal or pm2 kill ends it; done is what the command
// came to.
func (s *session) stay(done error) error {
	if s.daemon == nil {
		return done
	}
	if done != nil {
		if err := s.client.Shutdown(s.ctx); err != nil {
			return errors.Join(done, err)
		}
	} else if err := s.stream(nil); err != nil && !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	return errors.Join(done, <-s.daemon)
}

// await waits for a daemon that the service manager starts.
func (s *session) await() error {
	ctx, cancel := context.WithTimeout(s.ctx, 2*patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := s.client.Ping(ctx)
		if err == nil {
			return s.settle()
		}
		if !errors.Is(err, control.ErrNotRunning) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("the service manager has not started the daemon; see: systemctl status")
		case <-tick.C:
		}
	}
}

// settle waits until what came back with the daemon has started, or has not,
// for a while: what this command is about to tell would be out of date at once.
func (s *session) settle() error {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		rows, err := s.client.Instances(ctx, nil)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if !slices.ContainsFunc(rows, func(in apps.Instance) bool { return in.State == apps.StateStarting }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return s.ctx.Err()
		case <-tick.C:
		}
	}
}

// patience bounds the wait for apps that came back with the daemon.
const patience = 15 * time.Second

// original refuses a home in which PM2's own daemon runs: two that write one
// home's logs, pids and dump.pm2 make a mess of them.
func (s *session) original() error {
	c, err := net.DialTimeout("unix", filepath.Join(s.folder(), "rpc.sock"), time.Second)
	if err != nil {
		return nil
	}
	c.Close()
	return &control.Error{
		Code:    control.CodeConflict,
		Message: "PM2's own daemon runs in " + s.folder(),
		Hint:    "with PM2's own program: pm2 save, then pm2 kill; with this one: pm2 resurrect; or set PM2_HOME to another folder",
	}
}
