package install

import (
	"context"
	"os"
	"time"
)

const (
	targetDir  = "/usr/local/bin"
	targetName = "roost"
	seeLogs    = "read more: journalctl -u " + Name
)

var systemDirs = []string{"/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin"}

func where() string { return unitFile }

// Privileged reports whether this user may change services.
func Privileged() bool { return os.Geteuid() == 0 }

func lastWords(since time.Time) []string { return journal(10, since) }

func rights(program, verb string) string { return "run it as root: sudo " + command(program, verb) }

// release does nothing: a program that runs can be replaced.
func (s *Service) release(Status) error { return nil }

// define writes the unit, over an old one too: kardianos' Install refuses
// that, and says nothing of what systemctl has complained about.
func (s *Service) define(ctx context.Context, _ Status) error {
	program := Target(s.o.Program)
	return defineSystemd(ctx, Unit(program, Arguments(s.o.ConfigFile)))
}
