package pm2

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"roost/apps"
)

// process is a row as jlist and prettylist have it.
func (s *session) process(r *row) object {
	return object{
		{"pid", r.PID}, {"name", r.App}, {"pm2_env", s.pm2Env(r)}, {"pm_id", r.ID},
		{"monit", object{{"memory", r.Memory}, {"cpu", tenths(r.CPU)}}},
	}
}

// pm2Env is what PM2 knows of a process, in its order: what was declared, where
// things are, the environment (once more, at the top level), how it stands.
func (s *session) pm2Env(r *row) object {
	c := &r.app.Config
	env := s.environment(r)
	o := object{{"name", r.App}, {"filter_env", filtered(c.FilterEnv)}, {"namespace", r.Namespace}}
	addGiven(&o, c)
	o.set("env", env)
	clustered := r.mode() == "cluster"
	if !clustered {
		o.set("merge_logs", c.MergeLogs == nil || *c.MergeLogs)
	} else {
		o.set("instances", instances(c.Instances))
	}
	o.set("vizion", true)
	o.set("autostart", orTrue(c.Autostart))
	o.set("autorestart", orTrue(c.Autorestart))
	o.set("watch", watched(c.Watch))
	if len(c.IgnoreWatch) > 0 {
		o.set("ignore_watch", texts(c.IgnoreWatch))
	}
	o.set("instance_var", r.instanceVar())
	o.set("pmx", true)
	o.set("automation", true)
	o.set("treekill", orTrue(c.Treekill))
	o.set("username", r.username())
	if c.User != "" {
		o.set("uid", numberOr(c.User))
	}
	if c.Group != "" {
		o.set("gid", numberOr(c.Group))
	}
	o.set("windowsHide", true)
	o.set("kill_retry_time", 100)
	o.set("node_args", texts(c.NodeArgs))
	o.set("pm_exec_path", r.script())
	o.set("pm_cwd", c.Cwd)
	o.set("exec_interpreter", r.interpreter())
	o.set("exec_mode", r.mode()+"_mode")
	if !clustered {
		o.set("instances", max(1, instances(c.Instances)))
	}
	logs := r.logs()
	if logs.Both != "" {
		o.set("pm_log_path", logs.Both)
	}
	o.set("pm_out_log_path", logs.Out)
	o.set("pm_err_log_path", logs.Err)
	o.set("pm_pid_path", s.pidFile(r))
	o.set("km_link", false)
	o.set("vizion_running", false)
	o.set(r.instanceVar(), r.Slot)
	for _, m := range env {
		if m.key != r.App {
			o.set(m.key, m.value)
		}
	}
	o.set("status", r.status())
	o.set("pm_uptime", milliseconds(r.Started, r.app.Created))
	o.set("axm_actions", actions(r.Actions))
	o.set("axm_monitor", monitor(&r.Instance))
	o.set("axm_options", object{})
	o.set("axm_dynamic", object{})
	o.set("created_at", milliseconds(r.app.Created, r.Started))
	o.set("pm_id", r.ID)
	o.set("restart_time", r.Restarts)
	o.set("unstable_restarts", 0)
	if clustered {
		o.set("_pm2_version", version)
	}
	o.set("version", orNA(r.app.Version))
	if v := r.nodeVersion(); v != "" {
		o.set("node_version", v)
	}
	if r.ExitCode != nil {
		o.set("exit_code", *r.ExitCode)
	}
	return o
}

// addGiven adds the keys that are there only when they were given.
func addGiven(o *object, c *apps.Config) {
	add := func(key string, given bool, v any) {
		if given {
			o.set(key, v)
		}
	}
	ms := func(d interface{ Milliseconds() int64 }) any { return d.Milliseconds() }
	add("args", len(c.Args) > 0, texts(c.Args))
	add("node_args", len(c.NodeArgs) > 0, texts(c.NodeArgs))
	add("log_type", c.LogType != "", c.LogType)
	add("log_date_format", c.LogDateFormat != "" || c.Time, c.LogDateFormat)
	if c.Time {
		o.set("log_date_format", "YYYY-MM-DDTHH:mm:ss")
		o.set("time", true)
	}
	add("disable_logs", c.DisableLogs, true)
	add("increment_var", c.IncrementVar != "", c.IncrementVar)
	add("wait_ready", c.WaitReady, true)
	add("listen_timeout", c.ListenTimeout != 0, ms(time.Duration(c.ListenTimeout)))
	add("shutdown_with_message", c.ShutdownWithMessage, true)
	add("restart_delay", c.RestartDelay != 0, ms(time.Duration(c.RestartDelay)))
	add("exp_backoff_restart_delay", c.ExpBackoff != 0, ms(time.Duration(c.ExpBackoff)))
	add("kill_timeout", c.KillTimeout != 0, ms(time.Duration(c.KillTimeout)))
	add("max_memory_restart", c.MaxMemoryRestart != 0, int64(c.MaxMemoryRestart))
	add("max_restarts", c.MaxRestarts != 0, c.MaxRestarts)
	add("min_uptime", c.MinUptime != 0, ms(time.Duration(c.MinUptime)))
	add("cron_restart", c.CronRestart != "", c.CronRestart)
	add("watch_delay", c.WatchDelay != 0, ms(time.Duration(c.WatchDelay)))
	if len(c.StopExitCodes) > 0 {
		codes := make([]any, len(c.StopExitCodes))
		for i, n := range c.StopExitCodes {
			codes[i] = n
		}
		o.set("stop_exit_codes", codes)
	}
	if c.SourceMapSupport != nil {
		o.set("source_map_support", *c.SourceMapSupport)
	}
}

// environment is that of the app: the shell's below what it declares, and what
// PM2 adds to it.
func (s *session) environment(r *row) object {
	all := maps.Clone(r.app.Values)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, r.app.Config.Env)
	var o object
	for _, name := range slices.Sorted(maps.Keys(all)) {
		o.set(name, all[name])
	}
	o.set("PM2_HOME", s.folder())
	o.set("PM2_USAGE", "CLI")
	o.set(r.App, object{})
	o.set("unique_id", apps.UniqueID(s.dirs.PM2, r.App, r.ID))
	return o
}

func (r *row) instanceVar() string {
	if v := r.app.Config.InstanceVar; v != "" {
		return v
	}
	return "NODE_APP_INSTANCE"
}

// interpreter is what runs the script; "none" where it runs by itself.
func (r *row) interpreter() string {
	switch c := &r.app.Config; {
	case c.Interpreter != "":
		return c.Interpreter
	case c.Script == "":
		return "none"
	case r.app.Kind == "node":
		return "node"
	default:
		return apps.InterpreterOf(c.Script)
	}
}

func (r *row) nodeVersion() string {
	v, _ := strings.CutPrefix(r.Runtime, "node v")
	return v
}

// logs are the files of the row; what goes nowhere goes to /dev/null, as in PM2.
func (r *row) logs() apps.LogFiles {
	f := r.app.LogFiles[r.Slot]
	f.Out, f.Err = cmp.Or(f.Out, "/dev/null"), cmp.Or(f.Err, "/dev/null")
	return f
}

// pidFile is where the process id of the row is.
func (s *session) pidFile(r *row) string {
	if path := r.app.Config.PIDFile; path != "" {
		ext := filepath.Ext(path)
		return absolute(strings.TrimSuffix(path, ext)+"-"+strconv.Itoa(r.ID)+ext, r.app.Config.Cwd)
	}
	return filepath.Join(s.folder(), "pids", apps.PM2Name(r.App)+"-"+strconv.Itoa(r.ID)+".pid")
}

func filtered(f apps.FilterEnv) any {
	switch {
	case f.All:
		return true
	case f.Name != "":
		return f.Name
	}
	return texts(f.Parts)
}

func watched(p apps.Paths) any {
	switch {
	case len(p) == 0:
		return false
	case len(p) == 1 && (p[0] == "." || p[0] == "true"):
		return true
	}
	return texts(p)
}

// instances is the number as PM2 keeps it: 0 is one for each CPU.
func instances(n apps.Instances) int {
	if n == apps.Max {
		return 0
	}
	return int(n)
}

func orTrue(b *bool) bool { return b == nil || *b }

func numberOr(s string) any {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return s
}

// milliseconds of the first time that is known.
func milliseconds(times ...time.Time) int64 {
	for _, t := range times {
		if !t.IsZero() {
			return t.UnixMilli()
		}
	}
	return 0
}

func actions(list []apps.Action) []any {
	out := make([]any, len(list))
	for i, a := range list {
		out[i] = object{{"action_name", a.Name}, {"action_type", a.Type}, {"arity", a.Arity}}
	}
	return out
}

// monitor are the figures of a program, its own and those of its event loop.
func monitor(in *apps.Instance) object {
	o := object{}
	for _, name := range slices.Sorted(maps.Keys(in.Metrics)) {
		m := in.Metrics[name]
		figure := object{{"historic", true}}
		if m.Unit != "" {
			figure.set("unit", m.Unit)
		}
		if m.Type != "" {
			figure.set("type", m.Type)
		}
		figure.set("value", m.Value)
		o.set(name, figure)
	}
	for _, lag := range []struct {
		name, kind string
		value      float64
	}{{"Event Loop Latency", "p50", in.LagP50MS}, {"Event Loop Latency p99", "p99", in.LagP99MS}} {
		if lag.value > 0 && o.get(lag.name) == nil {
			o.set(lag.name, object{{"historic", true}, {"unit", "ms"}, {"type", "internal/libuv/latency/" + lag.kind}, {"value", strconv.FormatFloat(lag.value, 'f', 2, 64)}})
		}
	}
	return o
}
