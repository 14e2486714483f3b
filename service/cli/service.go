package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"roost/service"
	"roost/service/control"
	"roost/service/install"

	"github.com/spf13/cobra"
)

func newService(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "service",
		Short: "the program as a service of this machine",
		Long: `Install the program as a service (systemd, launchd or Windows): it starts with
the machine and is started again when it ends. Sites and apps that are wanted
come back by themselves; nothing needs saving.`,
		Example: "  sudo roost service install\n  roost service status",
		Args:    parent,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	installing := newInstall(c)
	cmd.AddCommand(installing, newServiceStatus(c))
	for _, v := range []struct {
		verb, short, done string
		do                func(*install.Service, context.Context) error
		runs              bool
	}{
		{"uninstall", "stop the service and remove it; config, state and logs stay", "the service is uninstalled; config, state and logs are kept", (*install.Service).Uninstall, false},
		{"start", "start the service", "the service runs", (*install.Service).Start, true},
		{"stop", "stop the service, its sites and its apps", "the service is stopped; it starts again with the machine", (*install.Service).Stop, false},
		{"restart", "stop the service and start it", "the service runs", (*install.Service).Restart, true},
	} {
		cmd.AddCommand(&cobra.Command{
			Use: v.verb, Short: v.short, Args: need(0, 0, ""), Example: "  sudo roost service " + v.verb,
			RunE: func(cmd *cobra.Command, _ []string) error {
				s, err := c.osService(false)
				if err != nil {
					return err
				}
				err = c.follow(func(news func(string)) error {
					news("waiting for the service manager: " + v.verb)
					return v.do(s, cmd.Context())
				})
				if err != nil {
					return err
				}
				c.say("%s", v.done)
				if v.runs {
					c.sayProblems(cmd.Context())
				}
				return nil
			},
		})
	}
	return cmd
}

func newInstall(c *console) *cobra.Command {
	var asJSON, pm2 bool
	cmd := &cobra.Command{
		Use: "install", Short: "install, enable and start the service, or bring it up to date", Args: need(0, 0, ""),
		Example: "  sudo roost service install\n  sudo roost service install --pm2",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.osService(pm2)
			if err != nil {
				return err
			}
			var done install.Installed
			err = c.follow(func(news func(string)) error {
				news("starting the service")
				done, err = s.Install(cmd.Context())
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return c.json(done)
			}
			c.sayProblems(cmd.Context())
			return c.installed(done)
		},
	}
	cmd.Flags().BoolVar(&pm2, "pm2", false, "make the links pm2, pm2-runtime and pm2-dev, under which it behaves as these")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// newStartup is a command of service, under PM2's name.
func newStartup(name string, of *cobra.Command) *cobra.Command {
	do := of.RunE
	return &cobra.Command{
		Use: name, Short: "the same as: roost service " + of.Name(), Example: "  sudo roost " + name, Args: need(0, 0, ""),
		RunE: func(cmd *cobra.Command, args []string) error { return do(cmd, args) },
	}
}

// sayProblems points to what keeps a service that runs from all that is wanted.
func (c *console) sayProblems(ctx context.Context) {
	dirs, err := systemDirs()
	if err != nil {
		return
	}
	status, err := control.Dial(dirs.Socket()).Status(ctx)
	if err == nil && len(status.Problems) > 0 {
		c.say("%s, the first: %s", plural(len(status.Problems), "problem"), status.Problems[0])
		c.hint("see them all: %s", c.command("status"))
	}
}

// systemDirs are the folders of the service, to those who may use it.
func systemDirs() (service.Dirs, error) {
	return service.FindDirs(func(name string) string {
		if name == "ROOST_HOME" {
			return ""
		}
		return os.Getenv(name)
	})
}

// osService is this program as the system's service: it uses the system's
// folders, whatever ROOST_HOME says.
func (c *console) osService(pm2 bool) (*install.Service, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program: %w", err)
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return nil, fmt.Errorf("cannot find this program: %w", err)
	}
	dirs, err := systemDirs()
	if err != nil {
		return nil, err
	}
	return install.New(install.Options{
		Program: self, ConfigFile: dirs.File(), StateDir: dirs.State, LogDir: dirs.Logs, Socket: dirs.Socket(), PM2: pm2,
		Say: func(text string) { c.say("%s", text) },
	})
}

// installed says where everything is.
func (c *console) installed(i install.Installed) error {
	c.say("the service runs, and starts with the machine")
	f := &facts{}
	f.add("service", i.Service)
	f.add("program", i.Program)
	f.list("also called", i.Links)
	f.add("config", i.Config)
	f.add("state", i.State)
	f.add("logs", i.Logs)
	if err := f.write(c); err != nil {
		return err
	}
	c.hint("declare sites and apps in %s, then: %s", i.Config, c.asRoot("apply "+shellQuote(i.Config)))
	return nil
}

func newServiceStatus(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "say how the service stands with the service manager", Args: need(0, 0, ""),
		Example: "  roost service status --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.osService(false)
			if err != nil {
				return err
			}
			status, err := s.Status(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return c.json(status)
			}
			f := &facts{}
			f.add("service", status.Service)
			f.add("manager", status.Manager)
			f.add("state", status.State)
			if status.Installed {
				f.add("at boot", map[bool]string{true: "starts", false: "does not start"}[status.Enabled])
				f.add("pid", dash(status.PID))
				f.add("restarts", fmt.Sprint(status.Restarts))
			}
			return f.write(c)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
