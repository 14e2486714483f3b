package apps

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roost/internal/unit"
)

func TestAGoodConfigHasNoComplaints(t *testing.T) {
	if !unixOnly(t) {
		return
	}
	cwd := t.TempDir()
	bin := toolbox(t, "node", "tool")
	write(t, filepath.Join(cwd, "a.js"), "", 0o644)
	for name, c := range map[string]Config{
		"least":      {Script: "a.js"},
		"node":       {Script: "a.js", Port: 3000, Instances: Max, Health: "/health?x=1", KillSignal: "SIGUSR2", ShutdownWithMessage: true, WaitReady: true},
		"program":    {Command: "tool --x", Port: 80, Instances: 1, KillSignal: "term"},
		"activation": {Command: "tool", Port: 80, Instances: 4, ListenFDs: true},
		"checked":    {Command: "tool", Check: &Check{HTTP: "/health"}, Sticky: "ip", HeartbeatTimeout: new(unit.Duration(time.Minute))},
		"checked by": {Command: "tool", Check: &Check{Exec: Words{"./check", "-x"}, Failures: 1}, Sticky: "cookie", HeartbeatTimeout: new(unit.Duration)},
		"numbers":    {Script: "a.js", MaxLogSize: 64 << 10, QueueLimit: 1, StopExitCodes: []int{0, 255}, KillTimeout: unit.Duration(time.Second)},
	} {
		c.Name, c.Cwd = "web-1.a_B", cwd
		if c.Env == nil {
			c.Env = map[string]string{}
		}
		c.Env["PATH"] = bin
		if got := Validate(Wanted{Config: c}); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEveryMistakeGetsItsComplaint(t *testing.T) {
	if !unixOnly(t) {
		return
	}
	cwd := t.TempDir()
	bin := toolbox(t, "node", "tool")
	write(t, filepath.Join(cwd, "a.js"), "", 0o644)
	write(t, filepath.Join(cwd, "a.env"), "A=1\nB\n", 0o644)
	for _, c := range []struct {
		name            string
		change          func(*Config)
		key, what, hint string
	}{
		{"sticky", func(c *Config) { c.Sticky = "session" }, "sticky", `"session" is none`, "cookie"},
		{"heartbeat", func(c *Config) { c.HeartbeatTimeout = new(unit.Duration(-1)) }, "heartbeat_timeout", "negative", "30s"},
		{"empty check", func(c *Config) { c.Check = &Check{} }, "check", "has 0 of http, tcp and exec", "health"},
		{"two checks", func(c *Config) { c.Check = &Check{HTTP: "/", TCP: "instance"} }, "check", "has 2 of http, tcp and exec", "health"},
		{"path of a check", func(c *Config) { c.Check = &Check{HTTP: "health"} }, "check.http", "no path", "/health"},
		{"address of a check", func(c *Config) { c.Check = &Check{TCP: "localhost"} }, "check.tcp", "no address", "127.0.0.1:5432"},
		{"port of a check", func(c *Config) { c.Check = &Check{TCP: "localhost:http"} }, "check.tcp", "no address", "instance"},
		{"interval of a check", func(c *Config) { c.Check = &Check{HTTP: "/", Interval: -1} }, "check.interval", "negative", "default"},
		{"failures of a check", func(c *Config) { c.Check = &Check{HTTP: "/", Failures: -1} }, "check.failures", "negative", "default"},
		{"check of a job", func(c *Config) { c.Check, c.Schedule = &Check{HTTP: "/"}, "@daily" }, "check", "keep running", "remove"},
		{"no name", func(c *Config) { c.Name = "" }, "name", "no name", "web"},
		{"name", func(c *Config) { c.Name = "a\nb" }, "name", `"a\nb" has characters that cannot be seen`, "one line"},
		{"namespace", func(c *Config) { c.Namespace = "all" }, "namespace", "taken", "another"},
		{"nothing to run", func(c *Config) { c.Script = "" }, "", "neither script nor command", "server.js"},
		{"two to run", func(c *Config) { c.Command = "tool" }, "command", "both", "remove one"},
		{"interpreter of a command", func(c *Config) { c.Script, c.Command, c.Interpreter = "", "tool", "node" }, "interpreter", "for a script", "remove"},
		{"node_args of a command", func(c *Config) { c.Script, c.Command, c.NodeArgs = "", "tool", Words{"-x"} }, "node_args", "for a script", "command"},
		{"no script", func(c *Config) { c.Script = "b.js" }, "script", "b.js does not exist", cwd},
		{"no cwd", func(c *Config) { c.Cwd = cwd + "/no" }, "cwd", "does not exist", "mkdir -p"},
		{"cwd is a file", func(c *Config) { c.Cwd = cwd + "/a.js" }, "cwd", "not a folder", cwd},
		{"no interpreter", func(c *Config) { c.Interpreter = "nosuch" }, "interpreter", "not on PATH", "install"},
		{"no node", func(c *Config) { c.Env["PATH"] = cwd }, "script", "node is not on PATH", "install"},
		{"instances", func(c *Config) { c.Instances = 1001 }, "instances", "out of range", "1000"},
		{"negative time", func(c *Config) { c.KillTimeout = -1 }, "kill_timeout", "negative", "milliseconds"},
		{"negative number", func(c *Config) { c.QueueLimit = -1 }, "queue_limit", "negative", "default"},
		{"log size without a unit", func(c *Config) { c.MaxLogSize = 10 }, "max_log_size", "less than the least", "10M"},
		{"exit code", func(c *Config) { c.StopExitCodes = []int{256} }, "stop_exit_codes", "256", "0 to 255"},
		{"port", func(c *Config) { c.Port = 70000 }, "port", "out of range", "65535"},
		{"fixed port twice", func(c *Config) { c.Script, c.Command, c.Port, c.Instances = "", "tool", 80, Max }, "instances", "max instances cannot all listen on port 80", "listen_fds"},
		{"listen_fds of node", func(c *Config) { c.ListenFDs = true }, "listen_fds", "not for Node", "remove"},
		{"health", func(c *Config) { c.Health = "health" }, "health", "no path", "/health"},
		{"health with a space", func(c *Config) { c.Health = "/a b" }, "health", "no path", "/health"},
		{"signal", func(c *Config) { c.KillSignal = "SIGNOPE" }, "kill_signal", "SIGNOPE", "SIGTERM"},
		{"message", func(c *Config) { c.Script, c.Command, c.ShutdownWithMessage = "", "tool", true }, "shutdown_with_message", "only Node", "remove"},
		{"user", func(c *Config) { c.User = "nosuchuser" }, "user", "does not exist", "useradd"},
		{"group", func(c *Config) { c.Group = "nosuchgroup" }, "gid", "does not exist", "groupadd"},
		{"exec_mode", func(c *Config) { c.ExecMode = "both" }, "exec_mode", "is none", "fork"},
		{"cluster without node", func(c *Config) { c.Script, c.Command, c.ExecMode = "", "tool", "cluster" }, "exec_mode", "is for Node", "remove"},
		{"source maps without node", func(c *Config) { yes := true; c.Script, c.Command, c.SourceMapSupport = "", "tool", &yes }, "source_map_support", "is for Node", "remove"},
		{"memory", func(c *Config) { c.MemoryMax = 512 }, "memory_max", "less than the least", "512M"},
		{"pid file", func(c *Config) { c.PIDFile = "." }, "pid_file", "is a folder", "name a file"},
		{"args", func(c *Config) { c.Args = Words{"a", "b\x00"} }, "args", "zero byte", "remove"},
		{"env file", func(c *Config) { c.EnvFile = Paths{"no.env"} }, "env_file", cwd + "/no.env does not exist", `"no.env?"`},
		{"env file that is none", func(c *Config) { c.EnvFile = Paths{"a.env", "no.env?"} }, "env_file", cwd + "/a.env:2: is not KEY=value", "quote"},
		{"increment without a number", func(c *Config) { c.IncrementVar = "NR" }, "increment_var", "no whole number in NR", "3000"},
		{"increment with a text", func(c *Config) { c.IncrementVar, c.Env["NR"] = "NR", "x" }, "increment_var", "no whole number in NR", "3000"},
		{"increment of the shared port", func(c *Config) { c.IncrementVar, c.Env["PORT"], c.Port = "PORT", "1", 3000 }, "increment_var", "share port 3000", "env"},
		{"increment of the slot's number", func(c *Config) { c.IncrementVar = "NODE_APP_INSTANCE" }, "increment_var", "already", "remove"},
		{"increment of ours", func(c *Config) { c.IncrementVar = "ROOST_SLOT" }, "increment_var", "ROOST_SLOT", "another"},
		{"instance variable", func(c *Config) { c.InstanceVar = "A=B" }, "instance_var", `"A=B"`, "another"},
		{"env key", func(c *Config) { c.Env["A=B"] = "" }, "env", `"A=B"`, "key"},
		{"env value", func(c *Config) { c.Env["A"] = "x\x00" }, "env", "zero byte", "remove"},
		{"env that is ours", func(c *Config) { c.Env["ROOST_SLOT"] = "1" }, "env", "ROOST_SLOT", "remove"},
		{"cron", func(c *Config) { c.CronRestart = "61 * * * *" }, "cron_restart", `the minute is "61"`, "0 3 * * *"},
		{"cron with a wrong day", func(c *Config) { c.CronRestart = "0 0 0 * * someday" }, "cron_restart", `the day of the week is "someday"`, "0 3 * * *"},
		{"cron with few fields", func(c *Config) { c.CronRestart = "0 0" }, "cron_restart", "expected 5 to 6 fields", "0 3 * * *"},
		{"cron that never comes", func(c *Config) { c.Schedule = "0 0 30 2 *" }, "schedule", "never comes", "@daily"},
		{"cron with a zone in it", func(c *Config) { c.Schedule = "TZ=UTC 0 0 * * *" }, "schedule", "time_zone", "@daily"},
		{"time zone", func(c *Config) { c.CronRestart, c.TimeZone = "@daily", "Mars/Base" }, "time_zone", `"Mars/Base"`, "Europe/Berlin"},
		{"time zone of nothing", func(c *Config) { c.TimeZone = "UTC" }, "time_zone", "cron_restart", "remove"},
		{"job with cron_restart", func(c *Config) { c.CronRestart, c.Schedule = "@daily", "@daily" }, "cron_restart", "job", "keep one"},
		{"job that watches", func(c *Config) { c.Watch, c.Schedule = Paths{"."}, "@daily" }, "watch", "job", "remove"},
		{"job with a memory limit", func(c *Config) { c.MaxMemoryRestart, c.Schedule = 1<<30, "@daily" }, "max_memory_restart", "job", "memory_max"},
		{"memory limit without a unit", func(c *Config) { c.MaxMemoryRestart = 200 }, "max_memory_restart", "200 bytes", "200M"},
		{"watch", func(c *Config) { c.Watch = Paths{"src/[a"} }, "watch", "src/[a", "folder"},
		{"ignore_watch", func(c *Config) { c.IgnoreWatch = Paths{"{a"} }, "ignore_watch", "{a", "logs"},
		{"watch_delay", func(c *Config) { c.WatchDelay = -1 }, "watch_delay", "negative", "200 ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := Config{Name: "web", Script: "a.js", Cwd: cwd, Env: map[string]string{"PATH": bin}}
			c.change(&config)
			got := Validate(Wanted{Config: config})
			if len(got) != 1 || got[0].Key != c.key || !strings.Contains(got[0].What, c.what) || !strings.Contains(got[0].Hint, c.hint) {
				t.Errorf("%q", got)
			}
		})
	}
	t.Run("another user without root", func(t *testing.T) {
		got := Validate(Wanted{Config: Config{Name: "web", Script: "a.js", Cwd: cwd, Env: map[string]string{"PATH": bin}, User: "root"}})
		if os.Geteuid() == 0 && len(got) != 0 || os.Geteuid() != 0 && (len(got) != 1 || !strings.Contains(got[0].What, "needs root")) {
			t.Errorf("%q", got)
		}
	})
	t.Run("all at once", func(t *testing.T) {
		got := Validate(Wanted{Config: Config{Name: "all", Script: "b.js", Cwd: cwd, Port: -1, Health: "x", KillSignal: "x", Env: map[string]string{"": ""}}})
		if len(got) != 6 {
			t.Errorf("%d complaints: %q", len(got), got)
		}
	})
}

func TestWhatWindowsCannotDoIsRefusedThere(t *testing.T) {
	if !unixOnly(t) {
		return
	}
	toolbox(t, "node")
	c := Config{Name: "web", Script: "app.js", Cwd: t.TempDir(), Port: 3000, Instances: 2,
		ListenFDs: true, WaitReady: true, ShutdownWithMessage: true, HeartbeatTimeout: new(unit.Duration(time.Second))}
	write(t, filepath.Join(c.Cwd, "app.js"), "", 0o644)
	refused := func(windows bool) (keys []string) {
		for _, found := range (&validation{c: c, windows: windows}).all() {
			if found.Hint == "" {
				t.Errorf("%v without a hint", found)
			}
			keys = append(keys, found.Key)
		}
		return keys
	}
	if got := refused(false); !slices.Equal(got, []string{"listen_fds"}) {
		t.Errorf("elsewhere %v is refused", got) // to Node
	}
	if got := refused(true); !slices.Equal(got, []string{"listen_fds", "listen_fds", "wait_ready", "heartbeat_timeout", "shutdown_with_message"}) {
		t.Errorf("on Windows %v is refused", got)
	}
	c.ListenFDs, c.WaitReady, c.ShutdownWithMessage, c.HeartbeatTimeout = false, false, false, nil
	if got := refused(true); !slices.Equal(got, []string{"instances"}) {
		t.Errorf("of two instances on one port %v is refused", got)
	}
}

func TestAProgramIsLookedForOnThePathOfTheShellThatStartedTheApp(t *testing.T) {
	if !unixOnly(t) {
		return
	}
	bin := t.TempDir()
	write(t, filepath.Join(bin, "own-tool"), "#!/bin/sh\n", 0o755)
	for name, c := range map[string]Config{
		"command":     {Name: "web", Command: "own-tool"},
		"interpreter": {Name: "web", Script: "a.own", Interpreter: "own-tool"},
	} {
		c.Cwd = t.TempDir()
		write(t, filepath.Join(c.Cwd, "a.own"), "", 0o644)
		if got := Validate(Wanted{Config: c, Environ: map[string]string{"PATH": bin}}); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
		if got := Validate(Wanted{Config: c}); len(got) != 1 {
			t.Errorf("%s without it: %v, want one complaint", name, got)
		}
	}
}
