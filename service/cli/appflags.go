package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"roost/apps"
	"roost/host"

	"github.com/spf13/pflag"
)

// appFlags are the flags that are keys of [[app]]: PM2's, and ours.
type appFlags struct {
	// set are the keys that were given, as JSON values.
	set map[string]json.RawMessage
	// tables are the --env that are no KEY=VALUE: they name the tables env_<name> of config files.
	tables []string
	names  []string // of the flags that are defined
}

// appFlag is one flag. Its name may have a letter and other names after it:
// "instances,i" or "out,o,output,out-file".
type appFlag struct {
	name, key string
	read      reading
	help      string
}

// identity are the flags that only a new app has.
var identity = []appFlag{
	{"name,n", "name", text, "`NAME` of the app (default: that of the script)"},
	{"namespace", "namespace", text, "`NAME` to address several apps at once"},
}

// declaration are the flags that an app which exists can be given, too.
var declaration = []appFlag{
	{"instances,i", "instances", text, "how many run at a time: a `NUMBER`, max, or -1 for one fewer than CPUs"},
	{"exec-mode", "exec_mode", text, "`MODE` cluster or fork, for Node"},
	{"cwd", "cwd", folder, "working `FOLDER` (default: this one)"},
	{"interpreter", "interpreter", text, "`PROGRAM` that runs the script (default: by its ending); none runs it directly"},
	{"node-args,interpreter-args", "node_args", shell, "`ARGUMENTS` of the interpreter"},
	{"source-map-support", "source_map_support", yes, "have Node map the lines of stack traces"},
	{"env", "env", pair, "`KEY=VALUE` for the app's environment; repeatable. Of a config file: the NAME of its env_NAME tables"},
	{"env-file", "env_file", list, "`FILE` of KEY=VALUE lines, read at each start; repeatable"},
	{"filter-env", "filter_env", someOrAll, "keep this shell's variables whose names contain `TEXT` from the app; true: all"},
	{"increment-var", "increment_var", text, "`VARIABLE` whose number grows by the slot's"},
	{"instance-var", "instance_var", text, "`VARIABLE` with the slot's number (default NODE_APP_INSTANCE)"},
	{"depends-on", "depends_on", conditions, "`APP` that must be ready before, or APP:started, APP:completed; repeatable"},
	{"port", "port", number, "the app's own `PORT`"},
	{"health", "health", text, "`PATH` that answers 2xx or 3xx once the app is ready"},
	{"listen-fds", "listen_fds", yes, "hand over listening sockets by systemd's protocol"},
	{"wait-ready", "wait_ready", yes, "wait for process.send('ready') or READY=1"},
	{"listen-timeout", "listen_timeout", text, "bound from start to ready (default 30s; a bare `TIME` is milliseconds)"},
	{"heartbeat-timeout", "heartbeat_timeout", text, "`TIME` an instance may be silent before it is replaced (Node: 30s); 0 for ever"},
	{"sticky", "sticky", text, "lead a client to the same instance, by `WHAT`: cookie or ip"},
	{"no-autostart", "autostart", no, "register the app as stopped"},
	{"no-autorestart", "autorestart", no, "leave it stopped after it has exited"},
	{"stop-exit-codes", "stop_exit_codes", numbers, "exit `CODES` that leave it stopped: 0,3"},
	{"min-uptime", "min_uptime", text, "`TIME` it must live to count as started (default 1s)"},
	{"max-restarts", "max_restarts", number, "failures in a row that make a crash loop (default 16)"},
	{"restart-delay", "restart_delay", text, "fixed wait before a restart, a `TIME`"},
	{"exp-backoff-restart-delay", "exp_backoff_restart_delay", text, "first wait after a failure, doubled by each, a `TIME` (default 100ms)"},
	{"watch", "watch", listOrYes, "replace the instances when files change: below --watch=`PATH`, or the working folder; repeatable"},
	{"ignore-watch", "ignore_watch", list, "`PATTERN` of files that do not count; repeatable (default: dot files and node_modules)"},
	{"watch-delay", "watch_delay", text, "`TIME` the files must be still before (default 200ms)"},
	{"cron-restart,c,cron", "cron_restart", cron, "replace the instances at these `TIMES`, such as \"0 3 * * *\" or @daily; 0 for never"},
	{"schedule", "schedule", cron, "start the app at these `TIMES` only, as a job that ends by itself"},
	{"time-zone", "time_zone", text, "`ZONE` of both, such as Europe/Berlin"},
	{"max-memory-restart", "max_memory_restart", text, "replace an instance whose processes hold more than a `SIZE`, such as 300M"},
	{"memory-max", "memory_max", text, "`SIZE` the kernel lets an instance have"},
	{"kill-timeout,k", "kill_timeout", text, "bound from the request to stop to the kill, a `TIME` (default 10s)"},
	{"kill-signal", "kill_signal", text, "`SIGNAL` that asks it to stop (default SIGTERM; Node: SIGINT)"},
	{"shutdown-with-message", "shutdown_with_message", yes, "ask Node to stop by process.on('message')"},
	{"no-treekill", "treekill", no, "ask only the program itself to stop, not what it has started"},
	{"user,u,uid", "user", text, "run as this `USER` (only as root)"},
	{"gid", "gid", text, "run as this `GROUP`"},
	{"out,o,output", "out_file", text, "`FILE` of what it writes to stdout; /dev/null for none"},
	{"error,e", "error_file", text, "`FILE` of what it writes to stderr; /dev/null for none"},
	{"log,l", "log_file", textOrYes, "--log=`FILE` takes both; the usual one without a name"},
	{"merge-logs", "merge_logs", yes, "one file for all instances; --merge-logs=false for one each"},
	{"disable-logs", "disable_logs", yes, "drop what it writes"},
	{"log-type", "log_type", text, "`FORM` of the lines: line, raw or json"},
	{"time", "time", yes, "put the time in front of raw lines"},
	{"log-date-format", "log_date_format", text, "put the time in front of raw lines in this `FORMAT`, such as HH:mm:ss"},
	{"pid-file,p,pid", "pid_file", text, "`FILE` that takes the process id"},
}

// define adds all flags, for a command that starts a new app.
func (f *appFlags) define(flags *pflag.FlagSet) {
	f.add(flags, identity)
	f.add(flags, declaration)
}

func (f *appFlags) add(flags *pflag.FlagSet, list []appFlag) {
	for i := range list {
		a := &list[i]
		name, letter := a.name, ""
		for n, other := range strings.Split(a.name, ",") {
			switch {
			case n == 0:
				name = other
			case len(other) == 1:
				letter = other
			default: // PM2's other names, or ours
				f.define1(flags, a, other, "").Hidden = true
			}
		}
		f.define1(flags, a, name, letter)
	}
}

func (f *appFlags) define1(flags *pflag.FlagSet, a *appFlag, name, letter string) *pflag.Flag {
	f.names = append(f.names, name)
	flag := flags.VarPF(keyFlag{a, f}, name, letter, a.help)
	flag.NoOptDefVal = a.read.alone
	return flag
}

// envName takes the last --env that is no KEY=VALUE: it names the tables
// env_<name> of a config file.
func (f *appFlags) envName() (name string) {
	if n := len(f.tables); n > 0 {
		name = f.tables[n-1]
	}
	f.tables = nil
	return name
}

// takeNamespace takes the --namespace: of a config file it chooses apps, as in PM2.
func (f *appFlags) takeNamespace() []string {
	var name string
	if json.Unmarshal(f.set["namespace"], &name) != nil {
		return nil
	}
	delete(f.set, "namespace")
	return []string{name}
}

// takePort takes the --port, which a folder has as well; ok is false when none was given.
func (f *appFlags) takePort() (port int, ok bool, err error) {
	raw, ok := f.set["port"]
	if !ok {
		return 0, false, nil
	}
	delete(f.set, "port")
	if json.Unmarshal(raw, &port) != nil || port < 0 || port > 65535 {
		return 0, false, usage(fmt.Sprintf("--port %s is no port", raw), "a number to 65535; 0 is any that is free")
	}
	return port, true, nil
}

// changed reports whether any of the flags was given.
func (f *appFlags) changed() bool { return len(f.set)+len(f.tables) > 0 }

// keys are the keys that were given, for an app that exists.
func (f *appFlags) keys() (map[string]json.RawMessage, error) {
	if len(f.tables) > 0 {
		return nil, usage(fmt.Sprintf("--env %q is not KEY=VALUE", f.tables[0]), "such as: --env NODE_ENV=production")
	}
	return f.set, nil
}

// config is the app that word and the flags describe: word is a script, a
// program, or a command with its arguments. It fails with *NotStartable when
// word may still be the name of an app.
func (f *appFlags) config(word string, args []string) (a apps.Config, err error) {
	keys, err := f.keys()
	if err != nil {
		return a, err
	}
	a.Args = args
	if problems := host.Set(&a, keys); len(problems) > 0 {
		return a, host.Problems(problems)
	}
	if a.Cwd == "" {
		if a.Cwd, err = filepath.Abs(""); err != nil {
			return a, fmt.Errorf("cannot find the working folder: %w", err)
		}
	}
	if err := SetProgram(&a, word); err != nil {
		return a, err
	}
	if a.Name == "" {
		return a, usage(fmt.Sprintf("cannot make a name of %q", word), "give one: --name NAME")
	}
	return a, nil
}
