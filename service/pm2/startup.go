package pm2

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	"roost/service/install"
)

// startup has the machine start the daemon of this home at boot. As anybody but
// root it prints what root has to type.
func (s *session) startup() error {
	at, err := s.boot()
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		program, err := thisProgram()
		if err != nil {
			return err
		}
		s.say("To setup the Startup Script, copy/paste the following command:")
		s.print("sudo env PATH=$PATH PM2_HOME=%s %s startup systemd -u %s --hp %s", at.Home, program, at.User, filepath.Dir(at.Home))
		return failed
	}
	if err := os.MkdirAll(at.Home, 0o755); err != nil {
		return fmt.Errorf("cannot make the home of PM2: %w", err)
	}
	if at.Program, err = os.Executable(); err != nil {
		return fmt.Errorf("cannot find this program: %w", err)
	}
	path, err := install.Boot(s.ctx, at)
	if err != nil {
		return err
	}
	s.say("Writing init configuration in %s", path)
	s.say("[v] Command successfully executed.")
	s.say("apps come back after a reboot as they are then; nothing needs saving")
	return nil
}

func (s *session) unstartup() error {
	at, err := s.boot()
	if err != nil {
		return err
	}
	path, err := install.Unboot(s.ctx, at)
	if err != nil {
		return err
	}
	s.say("Removed %s", path)
	return nil
}

// platforms are PM2's words for a machine with systemd.
var platforms = []string{"systemd", "ubuntu", "centos", "arch", "oracle"}

// boot is what the flags say of the unit, after a look at the machine.
func (s *session) boot() (at install.AtBoot, err error) {
	if len(s.args) > 0 && !slices.Contains(platforms, s.args[0]) {
		return at, inWords("there is no startup for %s: only systemd; elsewhere let your init system run `pm2 resurrect`", s.args[0])
	}
	if _, err := exec.LookPath("systemctl"); err != nil || runtime.GOOS != "linux" {
		return at, inWords("Init system not found: this needs systemd; elsewhere let your init system run `pm2 resurrect`, or use: sudo roost service install")
	}
	s.say("Init System found: systemd")
	at = install.AtBoot{Name: s.text("service-name"), User: s.text("user")}
	if at.User == "" {
		at.User = currentUser()
	}
	if at.Name == "" {
		at.Name = "pm2-" + at.User
	}
	switch hp := s.text("hp"); {
	case hp != "":
		at.Home = filepath.Join(hp, ".pm2")
	case os.Getenv("PM2_HOME") != "":
		if s.dirs, err = home(); err != nil {
			return at, err
		}
		at.Home = s.dirs.PM2
	default:
		dir, err := install.HomeOf(at.User)
		if err != nil {
			return at, err
		}
		at.Home = filepath.Join(dir, ".pm2")
	}
	at.Home, err = filepath.Abs(at.Home)
	return at, err
}
