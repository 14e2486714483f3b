package install

import (
	"context"
	"os"
	"time"
)

const (
	targetDir  = "/usr/local/bin"
	targetName = "roost"
	seeLogs    = "read roost.err.log in the log folder"
)

var systemDirs = []string{"/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"}

func where() string { return "/Library/LaunchDaemons/" + Name + ".plist" }

// Privileged reports whether this user may change services.
func Privileged() bool { return os.Geteuid() == 0 }

func lastWords(time.Time) []string { return nil }

func rights(program, verb string) string { return "run it as root: sudo " + command(program, verb) }

// release does nothing: a program that runs can be replaced.
func (s *Service) release(Status) error { return nil }

// define unloads and removes an old daemon; launchd reads a plist only when it loads it.
func (s *Service) define(_ context.Context, status Status) error {
	if status.Installed {
		if err := s.inner.Uninstall(); err != nil {
			return failed("update", err)
		}
	}
	if err := s.inner.Install(); err != nil {
		return failed("install", err)
	}
	return nil
}
