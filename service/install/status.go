package install

import (
	"context"
	"errors"
	"fmt"

	kardianos "github.com/kardianos/service"
)

// Status is how the service stands with the service manager.
type Status struct {
	Manager   string `json:"manager"` // "systemd", "launchd" or "windows"
	Service   string `json:"service"` // the unit, plist or service name
	Installed bool   `json:"installed"`
	Enabled   bool   `json:"enabled"` // starts at boot
	Running   bool   `json:"running"`
	State     string `json:"state"` // the service manager's own word
	PID       int    `json:"pid"`   // 0 when it does not run or the manager does not say
	Restarts  int    `json:"restarts"`
}

// managers are the service managers that the package knows, by kardianos' names.
var managers = map[string]string{
	"linux-systemd":   "systemd",
	"darwin-launchd":  "launchd",
	"windows-service": "windows",
}

func known(platform string) bool { return managers[platform] != "" }

// Status asks the service manager. It needs no rights.
func (s *Service) Status(ctx context.Context) (Status, error) {
	status := Status{Manager: managers[kardianos.Platform()], Service: where()}
	if status.Manager == "systemd" {
		return systemdStatus(ctx, status)
	}
	state, err := s.inner.Status()
	switch {
	case errors.Is(err, kardianos.ErrNotInstalled):
		status.State = "not installed"
		return status, nil
	case err != nil:
		return status, fmt.Errorf("cannot ask the service manager: %w", err)
	}
	status.Installed, status.Enabled = true, true
	status.State = "stopped"
	if state == kardianos.StatusRunning {
		status.Running, status.State = true, "running"
	}
	return status, nil
}

// Present reports whether the service is installed here.
func Present(ctx context.Context) bool {
	s, err := New(Options{})
	if err != nil {
		return false
	}
	status, err := s.Status(ctx)
	return err == nil && status.Installed
}

// Runs reports whether the process pid is the service: then the service
// manager starts it again when it ends.
func Runs(ctx context.Context, pid int) bool {
	s, err := New(Options{})
	if err != nil {
		return false
	}
	status, err := s.Status(ctx)
	if err != nil || !status.Running {
		return false
	}
	// launchd and Windows do not say which process it is; only the privileged could reach it.
	return status.PID == pid || status.PID == 0 && status.Manager != "systemd" && Privileged()
}
