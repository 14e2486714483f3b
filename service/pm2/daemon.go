package pm2

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"roost/service/cli"
	"roost/service/control"
	"roost/service/install"
)

func (s *session) ping() error {
	s.print("{ msg: 'pong' }")
	return nil
}

// kill stops all apps, forgets them and ends the daemon: what follows it, such
// as "pm2 start", begins with an empty list, as with PM2.
func (s *session) kill() error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		s.warnErr("No process found")
	} else if err := s.do(deed{control.VerbDelete, remove.word, false, false}, "all", rows); err != nil {
		return err
	}
	s.say("[v] All Applications Stopped")
	pong, err := s.client.Ping(s.ctx)
	if err != nil {
		return err
	}
	if install.Runs(s.ctx, pong.PID) {
		s.warn("the daemon runs as a service of this machine and stays; to stop that: sudo roost service stop")
		return nil
	}
	if err := s.end(pong.PID); err != nil {
		return err
	}
	s.say("[v] PM2 Daemon Stopped")
	return nil
}

func (s *session) end(pid int) error {
	if err := s.client.Shutdown(s.ctx); err != nil && !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	return cli.Gone(s.ctx, pid)
}

// again has the service manager start the daemon anew, and waits for that.
func (s *session) again(pid int) error {
	if err := s.client.Again(s.ctx); err != nil {
		return err
	}
	if err := cli.Gone(s.ctx, pid); err != nil {
		return err
	}
	return s.await()
}

// update ends the daemon and starts the program that is installed now, which
// goes on with the same apps.
func (s *session) update() error {
	pong, err := s.client.Ping(s.ctx)
	if err != nil {
		return err
	}
	if s.dirs.PM2 == "" {
		return &control.Error{Code: control.CodeConflict, Message: "the daemon is a service of this machine", Hint: "bring it up to date with: sudo roost service install"}
	}
	renew := s.end
	if pong.Unattended { // that of pm2 startup, which stays systemd's
		renew = s.again
	}
	if err := renew(pong.PID); err != nil {
		return err
	}
	s.say("[v] PM2 Daemon Stopped")
	if err := s.open(false); err != nil {
		return err
	}
	s.print(">>>>>>>>>> PM2 updated")
	return s.done()
}

func (s *session) report() error {
	pong, err := s.client.Ping(s.ctx)
	if err != nil {
		return err
	}
	s.print("```\n--- PM2 report %s", time.Now().Format(time.RFC1123))
	s.print("pm2d version         : %s\nroost version        : %s\ndaemon pid           : %d\ndaemon uptime        : %s", version, pong.Version, pong.PID, time.Since(pong.Started).Round(time.Second))
	s.print("home                 : %s\nsocket               : %s\nuid                  : %d\narch                 : %s\nplatform             : %s\ncpus nb              : %d",
		s.folder(), pong.Socket, os.Getuid(), runtime.GOARCH, runtime.GOOS, runtime.NumCPU())
	s.print("--- PM2 list")
	if err := s.table(); err != nil {
		return err
	}
	status, err := s.client.Status(s.ctx)
	if err != nil {
		return err
	}
	s.print("--- Problems")
	for _, p := range status.Problems {
		s.print("%s", p)
	}
	s.print("```")
	return nil
}

// systemInfo prints figures of the machine, as JSON.
func (s *session) systemInfo() error {
	status, err := s.client.Status(s.ctx)
	if err != nil {
		return err
	}
	b := status.Box
	o := object{
		{"cpus", b.CPUs}, {"cpu", tenths(b.CPU)}, {"load1", b.Load1}, {"memory_total", b.MemoryTotal}, {"memory_used", b.MemoryUsed},
		{"daemon", object{{"cpu", tenths(b.DaemonCPU)}, {"memory", b.DaemonRSS}}},
	}
	if s.has("tree") {
		_, err = fmt.Fprintln(s.out, inspect(o))
		return err
	}
	text, err := plainJSON(o)
	if err == nil {
		_, err = fmt.Fprintln(s.out, string(text))
	}
	return err
}

// cpus is how many instances "max" stands for.
func cpus() int { return runtime.GOMAXPROCS(0) }
