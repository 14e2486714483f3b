package install

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

const (
	targetName = "roost.exe"
	seeLogs    = "read roost.log in the log folder, and the event log"
)

var (
	targetDir  = filepath.Join(os.Getenv("ProgramFiles"), "Roost")
	systemDirs = []string{targetDir}
)

func where() string { return Name }

// Privileged reports whether this user may change services.
func Privileged() bool { return windows.GetCurrentProcessToken().IsElevated() }

func lastWords(time.Time) []string { return nil }

func rights(program, verb string) string {
	return "run it as administrator: " + command(program, verb)
}

// release stops the service, whose program file Windows keeps from being replaced.
func (s *Service) release(status Status) error {
	if !status.Running {
		return nil
	}
	if err := s.inner.Stop(); err != nil {
		return failed("stop", err)
	}
	return nil
}

// define installs the service, or changes what is there: a removed service
// lingers while anybody looks at it and cannot be made again meanwhile.
func (s *Service) define(_ context.Context, status Status) error {
	if !status.Installed {
		if err := s.inner.Install(); err != nil {
			return failed("install", err)
		}
	}
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("cannot ask the service manager: %w", err)
	}
	defer m.Disconnect()
	service, err := m.OpenService(Name)
	if err != nil {
		return fmt.Errorf("cannot open the service: %w", err)
	}
	defer service.Close()
	config, err := service.Config()
	if err != nil {
		return fmt.Errorf("cannot read the service: %w", err)
	}
	words := []string{syscall.EscapeArg(Target(s.o.Program))}
	for _, a := range Arguments(s.o.ConfigFile) {
		words = append(words, syscall.EscapeArg(a))
	}
	config.BinaryPathName, config.StartType = strings.Join(words, " "), mgr.StartAutomatic
	if err := service.UpdateConfig(config); err != nil {
		return fmt.Errorf("cannot update the service: %w", err)
	}
	// An exit with an error counts as a failure too, not only a crash.
	if err := service.SetRecoveryActionsOnNonCrashFailures(true); err != nil {
		return fmt.Errorf("cannot have the service restarted when it fails: %w", err)
	}
	return nil
}
