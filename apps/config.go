package apps

import (
	"cmp"
	"time"

	"roost/internal/unit"
)

// Config is one app as its user declares it: plain data. Keys carry PM2's
// names wherever PM2 has the notion; other keys are ours.
type Config struct {
	// Name identifies the app on this box: any text that can be seen; see badName.
	Name string `toml:"name" json:"name"`
	// Namespace groups apps for commands; "default" when empty.
	Namespace string `toml:"namespace" json:"namespace,omitempty"`
	// Script is a file run by Interpreter. Exactly one of Script and Command is set.
	Script string `toml:"script" json:"script,omitempty"`
	// Command is a program with its arguments, split like a shell does but run without one.
	Command string `toml:"command" json:"command,omitempty"`
	// Args follow the script or the command.
	Args Words `toml:"args" json:"args,omitempty"`
	// Cwd is the working folder; absolute once the config has been read.
	Cwd string `toml:"cwd" json:"cwd,omitempty"`
	// Interpreter runs Script; chosen by the script's extension when empty, "none" runs it directly.
	Interpreter string `toml:"interpreter" json:"interpreter,omitempty"`
	// NodeArgs are arguments of the interpreter, before the script.
	NodeArgs Words `toml:"node_args" json:"node_args,omitempty"`
	// SourceMapSupport true has Node map the lines of stack traces (--enable-source-maps); off when absent.
	SourceMapSupport *bool `toml:"source_map_support" json:"source_map_support,omitempty"`
	// Instances is how many run at a time; 1 when absent.
	Instances Instances `toml:"instances" json:"instances,omitzero"`
	// ExecMode is "cluster", where Node's cluster module says that an instance is a
	// worker, or "fork"; when absent cluster for Node where Instances is given, as in PM2.
	ExecMode string `toml:"exec_mode" json:"exec_mode,omitempty"`

	// Env is added to the environment (see environment.go for the order).
	Env map[string]string `toml:"env" json:"env,omitempty"`
	// EnvFile are files of KEY=VALUE lines, read at each start below Env, the later over the earlier; relative to Cwd.
	// One whose name ends in "?" may be missing.
	EnvFile Paths `toml:"env_file" json:"env_file,omitempty"`
	// FilterEnv keeps variables of the shell that started the app from it.
	FilterEnv FilterEnv `toml:"filter_env" json:"filter_env,omitzero"`
	// IncrementVar is a variable whose number grows by the slot's, such as PORT.
	IncrementVar string `toml:"increment_var" json:"increment_var,omitempty"`
	// InstanceVar is the variable with the slot's number; NODE_APP_INSTANCE when absent.
	InstanceVar string `toml:"instance_var" json:"instance_var,omitempty"`
	// DependsOn are apps that must stand as told before this one starts.
	DependsOn Dependencies `toml:"depends_on" json:"depends_on,omitempty"`

	// Port is the app's own port, 1-65535; 0 means that it has none or asks for it itself.
	Port int `toml:"port" json:"port,omitempty"`
	// Health is an absolute path that answers 2xx or 3xx once an instance accepts requests.
	Health string `toml:"health" json:"health,omitempty"`
	// ListenFDs hands each instance its private listening socket by systemd's protocol (sd_listen_fds(3)).
	ListenFDs bool `toml:"listen_fds" json:"listen_fds,omitempty"`
	// WaitReady waits for process.send('ready') or READY=1 (sd_notify(3)) and nothing else.
	WaitReady bool `toml:"wait_ready" json:"wait_ready,omitempty"`
	// ListenTimeout bounds the time from start to ready; 30 s when absent.
	ListenTimeout unit.Duration `toml:"listen_timeout" json:"listen_timeout,omitzero"`
	// HeartbeatTimeout is how long an instance may be silent before it is replaced, 0 for ever. Node answers from its
	// event loop, 30 s when absent; for others it is off when absent, and they send WATCHDOG=1 (sd_notify(3)).
	HeartbeatTimeout *unit.Duration `toml:"heartbeat_timeout" json:"heartbeat_timeout,omitempty"`
	// Check asks each ready instance regularly whether it works; one that fails is replaced.
	Check *Check `toml:"check" json:"check,omitempty"`
	// Sticky leads the requests of a client to the same instance: "cookie" or "ip"; any instance when absent.
	Sticky string `toml:"sticky" json:"sticky,omitempty"`

	// Autostart false registers the app as stopped; true when absent.
	Autostart *bool `toml:"autostart" json:"autostart,omitempty"`
	// Autorestart false leaves an instance stopped after it has exited; true when absent.
	Autorestart *bool `toml:"autorestart" json:"autorestart,omitempty"`
	// StopExitCodes are exit codes that leave the instance stopped.
	StopExitCodes []int `toml:"stop_exit_codes" json:"stop_exit_codes,omitempty"`
	// MinUptime is how long an instance must live to count as started well; 1 s when absent.
	MinUptime unit.Duration `toml:"min_uptime" json:"min_uptime,omitzero"`
	// MaxRestarts is how many failures in a row make a crash loop; 16 when absent.
	MaxRestarts int `toml:"max_restarts" json:"max_restarts,omitempty"`
	// RestartDelay is a fixed wait before a restart; when absent the wait grows from ExpBackoff.
	RestartDelay unit.Duration `toml:"restart_delay" json:"restart_delay,omitzero"`
	// ExpBackoff is the first wait after a failure, doubled by each further one up to 15 s; 100 ms when absent.
	ExpBackoff unit.Duration `toml:"exp_backoff_restart_delay" json:"exp_backoff_restart_delay,omitzero"`

	// Watch are files and folders, relative to Cwd, whose change replaces the instances; "true" is Cwd.
	Watch Paths `toml:"watch" json:"watch,omitempty"`
	// IgnoreWatch are patterns of files that do not count, below what is watched; dot files and node_modules when absent.
	IgnoreWatch Paths `toml:"ignore_watch" json:"ignore_watch,omitempty"`
	// WatchDelay is how long the files must be still before the instances are replaced; 200 ms when absent.
	WatchDelay unit.Duration `toml:"watch_delay" json:"watch_delay,omitzero"`
	// CronRestart replaces the instances at these times: five fields (crontab(5)), six with seconds first, or "@daily".
	CronRestart string `toml:"cron_restart" json:"cron_restart,omitempty"`
	// Schedule starts the app at these times only, as a job that ends by itself.
	Schedule string `toml:"schedule" json:"schedule,omitempty"`
	// TimeZone is that of CronRestart and Schedule, such as "Europe/Berlin"; the box's when absent.
	TimeZone string `toml:"time_zone" json:"time_zone,omitempty"`
	// MaxMemoryRestart replaces an instance whose whole process tree holds more bytes resident; no limit when absent.
	MaxMemoryRestart unit.Size `toml:"max_memory_restart" json:"max_memory_restart,omitempty"`
	// MemoryMax is how many bytes the kernel lets an instance have (cgroup v2 memory.max); no limit when absent.
	MemoryMax unit.Size `toml:"memory_max" json:"memory_max,omitempty"`

	// KillTimeout is how long a stopping instance has before its whole tree is killed; 10 s when absent.
	KillTimeout unit.Duration `toml:"kill_timeout" json:"kill_timeout,omitzero"`
	// KillSignal asks an instance to stop: SIGINT for Node (as PM2), SIGTERM for the rest when absent.
	KillSignal string `toml:"kill_signal" json:"kill_signal,omitempty"`
	// ShutdownWithMessage sends Node the message 'shutdown' instead of a signal.
	ShutdownWithMessage bool `toml:"shutdown_with_message" json:"shutdown_with_message,omitempty"`
	// Treekill false asks only the program itself to stop, not what it has started; true when absent.
	Treekill *bool `toml:"treekill" json:"treekill,omitempty"`
	// User runs the instances as this user (name or number); only when the program runs as root.
	User string `toml:"user" json:"user,omitempty"`
	// Group runs the instances as this group (name or number); that of User when absent.
	Group string `toml:"gid" json:"gid,omitempty"`

	// QueueTimeout is how long a request waits while no instance is ready; 10 s when absent.
	QueueTimeout unit.Duration `toml:"queue_timeout" json:"queue_timeout,omitzero"`
	// QueueLimit is how many requests wait so at a time; 100 when absent.
	QueueLimit int `toml:"queue_limit" json:"queue_limit,omitempty"`

	// OutFile and ErrorFile are where the output goes, relative to Cwd; <name>-out.log and <name>-error.log in the
	// folder of logs when absent, nowhere when "/dev/null" or "NULL".
	OutFile   string `toml:"out_file" json:"out_file,omitempty"`
	ErrorFile string `toml:"error_file" json:"error_file,omitempty"`
	// LogFile takes both; "true" is <name>.log in the folder of logs, none when absent.
	LogFile LogFile `toml:"log_file" json:"log_file,omitempty"`
	// MergeLogs false gives each slot its own files; true when absent.
	MergeLogs *bool `toml:"merge_logs" json:"merge_logs,omitempty"`
	// DisableLogs drops the output.
	DisableLogs bool `toml:"disable_logs" json:"disable_logs,omitempty"`
	// LogType is how lines are written: "line" (time, slot, text), "raw" (the text), or "json"; line when absent.
	LogType string `toml:"log_type" json:"log_type,omitempty"`
	// Time puts the time in front of raw lines: that is LogDateFormat "YYYY-MM-DDTHH:mm:ss".
	Time bool `toml:"time" json:"time,omitempty"`
	// LogDateFormat is put in front of raw lines, in the tokens of PM2 (day.js).
	LogDateFormat string `toml:"log_date_format" json:"log_date_format,omitempty"`
	// PIDFile takes the process id of a slot's instance, the slot's id before the extension; none when absent.
	PIDFile string `toml:"pid_file" json:"pid_file,omitempty"`
	// MaxLogSize is where a log file rotates; 10 MB when absent, 64 KiB at least.
	MaxLogSize unit.Size `toml:"max_log_size" json:"max_log_size,omitempty"`
	// MaxLogFiles is how many rotated files are kept, compressed; 10 when absent.
	MaxLogFiles int `toml:"max_log_files" json:"max_log_files,omitempty"`
}

// Wanted is an app as it should be now: its declaration and what commands have
// made of it since. It is what the state file keeps.
type Wanted struct {
	Config
	// Source is the file that declared the app; empty when a command did.
	Source string `json:"source,omitempty"`
	// Environ is the environment of the shell that started the app; empty when a file declared it.
	Environ map[string]string `json:"environ,omitempty"`
	// Created is when the app was registered.
	Created time.Time `json:"created,omitzero"`
	// Revision counts the wanted forms of the app, from 1.
	Revision int `json:"revision"`
	// Replace moves a slot to a new revision by stop, then start; otherwise the new instance starts beside the old.
	Replace bool `json:"replace,omitempty"`
	// Slots has one element for each instance; a slot's number is its index.
	Slots []Slot `json:"slots"`
	// Serves says that a site leads to the app; derived from the sites, not stored.
	Serves bool `json:"-"`
	// Twin says that another app has the same file names; see Twins. Derived from the names, not stored.
	Twin bool `json:"-"`
}

// Slot is what is wanted of one of the app's numbered places.
type Slot struct {
	// ID addresses the slot on the command line; unique on the box, never reused while others exist.
	ID int `json:"id"`
	// Revision is the revision that the slot's instance should be of.
	Revision int `json:"revision"`
	// Stopped keeps the slot empty.
	Stopped bool `json:"stopped,omitempty"`
	// Free: its instance was deleted from among others, which keep their numbers; the next one that is added takes
	// the place. Stopped, too.
	Free bool `json:"free,omitempty"`
}

// Count is how many slots there are but for those that are free.
func (w *Wanted) Count() (n int) {
	for _, s := range w.Slots {
		if !s.Free {
			n++
		}
	}
	return n
}

// namespace is the group that the app is in.
func (c *Config) namespace() string { return cmp.Or(c.Namespace, "default") }
