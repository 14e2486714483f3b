// Package install makes the program a service of the operating system: a
// systemd unit with a text of our own, a launchd daemon or a Windows service,
// told apart and managed through kardianos/service.
package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"roost/service/control"

	kardianos "github.com/kardianos/service"
)

// Name is what the service manager calls the service.
const Name = "roost"

// Options says what to install and where the resident program keeps its things.
type Options struct {
	// Program is the running binary, absolute; it is copied to Target() when it lies elsewhere.
	Program string
	// ConfigFile is the config file of the service, absolute; a commented example is written when it is missing.
	ConfigFile string
	// StateDir and LogDir are where the service keeps its state and its logs; only reported.
	StateDir, LogDir string
	// Socket is where the service answers once it is ready.
	Socket string
	// PM2 gives the program the names pm2, pm2-runtime and pm2-dev as well.
	PM2 bool
	// Say is told what was done, step by step; may be nil.
	Say func(string)
}

// Installed says where everything is; `roost service install --json` prints it.
type Installed struct {
	Service string `json:"service"` // the unit, plist or service name
	Program string `json:"program"`
	Config  string `json:"config"`
	State   string `json:"state"`
	Logs    string `json:"logs"`
	Updated bool   `json:"updated"` // it had been installed before
	// Links are the program's other names, which PM2 asks for.
	Links []string `json:"links,omitempty"`
}

// Service is the program as a service of this operating system.
type Service struct {
	o     Options
	inner kardianos.Service
}

// New prepares for the service manager of this system; it changes nothing. It
// fails with a *control.Error where there is no service manager that it knows.
func New(o Options) (*Service, error) {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if !known(kardianos.Platform()) {
		return nil, &control.Error{
			Code:    control.CodeFailed,
			Message: "cannot find systemd, launchd or the Windows service manager on this system",
			Hint:    "let your init system start `" + o.Program + " run`",
		}
	}
	inner, err := kardianos.New(nothing{}, definition(o, Target(o.Program)))
	if err != nil {
		return nil, fmt.Errorf("cannot prepare the service: %w", err)
	}
	return &Service{o: o, inner: inner}, nil
}

// definition is what the service manager is told; systemd gets a Unit instead.
func definition(o Options, program string) *kardianos.Config {
	return &kardianos.Config{
		Name:        Name,
		DisplayName: "Roost",
		Description: Description,
		Executable:  program,
		Arguments:   Arguments(o.ConfigFile),
		Option: kardianos.KeyValue{
			"KeepAlive":              true,
			"RunAtLoad":              true,
			"LogDirectory":           o.LogDir,
			"OnFailure":              "restart",
			"OnFailureDelayDuration": "1s",
			"OnFailureResetPeriod":   60,
		},
	}
}

// Description is the service in a few words.
const Description = "Roost: static sites and apps over HTTPS"

// Arguments are those of the resident program as a service.
func Arguments(configFile string) []string { return []string{"run", "--service", configFile} }

// Install copies the program into its place, writes the config file where
// there is none and the service's definition, enables it, starts it and waits
// until it is ready. An installed service is brought up to date and restarted.
func (s *Service) Install(ctx context.Context) (Installed, error) {
	done := Installed{Service: where(), Program: Target(s.o.Program), Config: s.o.ConfigFile, State: s.o.StateDir, Logs: s.o.LogDir}
	if err := s.privileged("install"); err != nil {
		return done, err
	}
	status, err := s.Status(ctx)
	if err != nil {
		return done, err
	}
	done.Updated = status.Installed
	if s.o.PM2 {
		if err := linkable(done.Program); err != nil {
			return done, err
		}
	}
	if err := s.release(status); err != nil {
		return done, err
	}
	copied, err := place(s.o.Program, done.Program)
	if err != nil {
		return done, err
	}
	if copied {
		s.o.Say("copied the program to " + done.Program)
	}
	if s.o.PM2 {
		if done.Links, err = link(done.Program); err != nil {
			return done, err
		}
	}
	written, err := writeExample(s.o.ConfigFile)
	if err != nil {
		return done, err
	}
	if written {
		s.o.Say("wrote an empty config to " + s.o.ConfigFile)
	}
	if err := os.MkdirAll(s.o.LogDir, 0o700); err != nil {
		return done, fmt.Errorf("cannot make the log folder: %w", err)
	}
	if err := s.define(ctx, status); err != nil {
		return done, err
	}
	s.o.Say(map[bool]string{false: "installed ", true: "updated "}[done.Updated] + done.Service)
	if err := s.Restart(ctx); err != nil {
		return done, err
	}
	return done, nil
}

// Uninstall stops the service and takes its definition and its links away.
// Config, state, logs and the program stay.
func (s *Service) Uninstall(ctx context.Context) error {
	status, err := s.installed(ctx, "uninstall")
	if err != nil {
		return err
	}
	if status.Running {
		if err := s.Stop(ctx); err != nil {
			return err
		}
	}
	if err := s.inner.Uninstall(); err != nil {
		return failed("uninstall", err)
	}
	return unlink(Target(s.o.Program))
}

// Start starts the service and waits until it is ready.
func (s *Service) Start(ctx context.Context) error {
	status, err := s.installed(ctx, "start")
	if err != nil {
		return err
	}
	return s.launch(ctx, status, s.inner.Start)
}

// Stop stops the service: sites and apps with it, until it is started or the
// machine boots.
func (s *Service) Stop(ctx context.Context) error {
	status, err := s.installed(ctx, "stop")
	if err != nil || !status.Running {
		return err
	}
	if err := s.inner.Stop(); err != nil {
		return failed("stop", err)
	}
	return nil
}

// Restart stops the service where it runs, starts it and waits until it is ready.
func (s *Service) Restart(ctx context.Context) error {
	status, err := s.installed(ctx, "restart")
	if err != nil {
		return err
	}
	if status.Running {
		return s.launch(ctx, status, s.inner.Restart)
	}
	return s.launch(ctx, status, s.inner.Start)
}

func (s *Service) launch(ctx context.Context, status Status, act func() error) error {
	if err := s.takeOver(ctx, status); err != nil {
		return err
	}
	began := time.Now()
	if err := act(); err != nil {
		return failed("start", err, lastWords(began)...)
	}
	return s.ready(ctx, began)
}

// installed is the status of a service that must be there, to somebody who may
// change it.
func (s *Service) installed(ctx context.Context, verb string) (Status, error) {
	if err := s.privileged(verb); err != nil {
		return Status{}, err
	}
	status, err := s.Status(ctx)
	if err == nil && !status.Installed {
		err = &control.Error{Code: control.CodeNotFound, Message: "the service is not installed", Hint: "install it: " + command(s.o.Program, "install")}
	}
	return status, err
}

// privileged fails for users who may not change services.
func (s *Service) privileged(verb string) error {
	if Privileged() {
		return nil
	}
	return &control.Error{
		Code:    control.CodeForbidden,
		Message: fmt.Sprintf("cannot %s the service as an ordinary user", verb),
		Hint:    rights(s.o.Program, verb),
	}
}

// failed explains an error of the service manager, with the service's last words.
func failed(verb string, err error, words ...string) error {
	var e *control.Error
	if errors.As(err, &e) {
		return err
	}
	return &control.Error{Code: control.CodeFailed, Message: fmt.Sprintf("cannot %s the service: %v", verb, err), Hint: seeLogs, Output: words}
}

// command is how the user runs a verb of `roost service`: by name where the
// shell finds this very program, else by path.
func command(program, verb string) string {
	if filepath.Dir(program) == filepath.Dir(Target(program)) {
		program = "roost"
	}
	return program + " service " + verb
}

// nothing is the life that kardianos/service asks for where only the
// definition of a service is managed.
type nothing struct{}

func (nothing) Start(kardianos.Service) error { return nil }
func (nothing) Stop(kardianos.Service) error  { return nil }
