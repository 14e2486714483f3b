package pm2

import "strings"

// takes says whether a flag has a value.
type takes int

const (
	nothing  takes = iota // --force
	value                 // --name <name>: the next word, whatever it looks like
	optional              // --watch [paths]: the next word unless it looks like a flag
)

// flag is one of PM2's flags. All flags are accepted by all commands, before
// and after their arguments, unless they name theirs.
type flag struct {
	short, long string
	takes       takes
	what        string // the value, as help calls it
	// key is the key of [[app]] that the flag is; none: it is not about an app.
	key string
	// read turns the value into that of the key; as it is when nil.
	read func(string) (any, error)
	// says is the key's value of a flag without one; true when nil.
	says any
	// on are the commands that have the flag; nil: all.
	on   []string
	help string
}

// name is how help and errors write a flag.
func (f *flag) name() string {
	var parts []string
	if f.short != "" {
		parts = append(parts, "-"+f.short)
	}
	if f.long != "" {
		parts = append(parts, "--"+f.long)
	}
	s := strings.Join(parts, ", ")
	switch f.takes {
	case value:
		s += " <" + f.what + ">"
	case optional:
		s += " [" + f.what + "]"
	}
	return s
}

// flags are PM2's, in the order of its help.
var flags = []flag{
	{short: "v", long: "version", help: "print the version"},
	{short: "V", help: "print the version"},
	{short: "s", long: "silent", help: "print nothing but results"},
	{long: "ext", takes: value, what: "extensions", help: "watch only files that end so, such as js,json"},
	{short: "n", long: "name", takes: value, what: "name", key: "name", help: "name of the app"},
	{short: "m", long: "mini-list", help: "list as plain lines"},
	{long: "interpreter", takes: value, what: "interpreter", key: "interpreter", help: "program that runs the script; none runs it directly"},
	{long: "interpreter-args", takes: value, what: "arguments", key: "node_args", read: words, help: "the same as --node-args"},
	{long: "node-args", takes: value, what: "node_args", key: "node_args", read: words, help: "arguments of the interpreter"},
	{short: "o", long: "output", takes: value, what: "path", key: "out_file", help: "file for stdout"},
	{short: "e", long: "error", takes: value, what: "path", key: "error_file", help: "file for stderr"},
	{short: "l", long: "log", takes: optional, what: "path", key: "log_file", help: "file for both"},
	{long: "filter-env", takes: optional, what: "envs", key: "filter_env", help: "keep variables whose names have this in them from the app; repeatable"},
	{long: "log-type", takes: value, what: "type", key: "log_type", help: "raw or json"},
	{long: "log-date-format", takes: value, what: "date format", key: "log_date_format", help: "time in front of the lines of the log files"},
	{long: "time", key: "time", help: "the usual time in front of the lines"},
	{long: "disable-logs", key: "disable_logs", help: "keep no logs"},
	{long: "env", takes: value, what: "environment_name", help: "use the env_<name> of the configuration file"},
	{short: "a", long: "update-env", help: "give the apps this shell's environment from now on"},
	{short: "f", long: "force", help: "go on where PM2 would stop: replace an app of that name, save an empty list"},
	{short: "i", long: "instances", takes: value, what: "number", key: "instances", help: "how many run at a time; max: one for each CPU"},
	{long: "parallel", takes: value, what: "number", help: "how many apps are acted on at a time"},
	{long: "shutdown-with-message", key: "shutdown_with_message", help: "stop by the message 'shutdown' instead of a signal"},
	{short: "p", long: "pid", takes: value, what: "pid", key: "pid_file", help: "file for the process id"},
	{short: "k", long: "kill-timeout", takes: value, what: "delay", key: "kill_timeout", help: "milliseconds from the request to stop to the kill"},
	{long: "listen-timeout", takes: value, what: "delay", key: "listen_timeout", help: "milliseconds until an instance must be ready"},
	{long: "max-memory-restart", takes: value, what: "memory", key: "max_memory_restart", read: memory, help: "replace an instance that holds more memory"},
	{long: "restart-delay", takes: value, what: "delay", key: "restart_delay", help: "milliseconds before a restart"},
	{long: "exp-backoff-restart-delay", takes: value, what: "delay", key: "exp_backoff_restart_delay", help: "milliseconds before the first restart, growing with each"},
	{short: "x", long: "execute-command", key: "exec_mode", says: "fork", help: "fork mode"},
	{long: "max-restarts", takes: optional, what: "count", key: "max_restarts", read: number, help: "failures in a row before the app counts as errored"},
	{short: "u", long: "user", takes: value, what: "username", key: "user", help: "user whose service startup sets up"},
	{long: "uid", takes: value, what: "uid", key: "user", help: "run the app as this user"},
	{long: "gid", takes: value, what: "gid", key: "gid", help: "run the app as this group"},
	{long: "namespace", takes: value, what: "ns", key: "namespace", help: "group the app belongs to"},
	{long: "cwd", takes: value, what: "path", key: "cwd", help: "working folder of the app"},
	{long: "hp", takes: value, what: "home path", help: "home of the user for startup"},
	{long: "wait-ip", help: "have startup wait for the network"},
	{long: "service-name", takes: value, what: "name", help: "name of the service for startup"},
	{short: "c", long: "cron", takes: value, what: "cron_pattern", key: "cron_restart", help: "replace the instances at these times"},
	{long: "cron-restart", takes: value, what: "cron_pattern", key: "cron_restart", help: "the same as --cron"},
	{short: "w", long: "write", help: "write <name>-pm2.json with what was asked for"},
	{long: "no-daemon", help: "stay in the foreground"},
	{long: "source-map-support", key: "source_map_support", help: "map stack traces to the sources"},
	{long: "only", takes: value, what: "application-name", help: "act on these apps of the file only"},
	{long: "disable-source-map-support", key: "source_map_support", says: false, help: "do not map stack traces"},
	{long: "wait-ready", key: "wait_ready", help: "wait for process.send('ready')"},
	{long: "merge-logs", key: "merge_logs", help: "one log file for all instances"},
	{long: "watch", takes: optional, what: "paths", key: "watch", help: "replace the instances when files change"},
	{long: "ignore-watch", takes: value, what: "folders|files", key: "ignore_watch", read: list, help: "files that do not count"},
	{long: "watch-delay", takes: value, what: "delay", key: "watch_delay", read: seconds, help: "seconds of quiet before that, or 4000ms"},
	{long: "no-color", help: "no colours"},
	{long: "no-vizion", help: "accepted; version control is not looked at anyway"},
	{long: "no-autostart", key: "autostart", says: false, help: "add the app without starting it"},
	{long: "no-autorestart", key: "autorestart", says: false, help: "leave the app stopped when it exits"},
	{long: "stop-exit-codes", takes: value, what: "exit_codes...", key: "stop_exit_codes", read: numbers, help: "exit codes that leave it stopped"},
	{long: "no-treekill", key: "treekill", says: false, help: "stop only the program itself, not what it has started"},
	{long: "no-pmx", help: "accepted; nothing is put into the app anyway"},
	{long: "no-automation", help: "the same as --no-pmx"},
	{long: "trace", help: "accepted; nothing is traced"},
	{long: "disable-trace", help: "accepted"},
	{long: "sort", takes: value, what: "field_name:sort", help: "order of the list, such as memory:desc"},
	{long: "attach", help: "show the logs afterwards"},
	{long: "v8", help: "accepted; the figures are there anyway"},
	{long: "event-loop-inspector", help: "accepted; the figures are there anyway"},
	{long: "deep-monitoring", help: "accepted; the figures are there anyway"},
	{short: "h", long: "help", help: "explain"},

	{long: "json", on: []string{"logs", runtimeName}, help: "an object a line"},
	{long: "format", on: []string{"logs", runtimeName}, help: "key=value lines"},
	{long: "raw", on: []string{"logs", runtimeName, devName}, help: "the text alone"},
	{long: "err", on: []string{"logs"}, help: "only stderr"},
	{long: "out", on: []string{"logs"}, help: "only stdout"},
	{long: "lines", takes: value, what: "n", on: []string{"logs"}, help: "how many of the last lines"},
	{long: "timestamp", takes: optional, what: "format", on: []string{"logs", devName}, help: "show the time"},
	{long: "nostream", on: []string{"logs"}, help: "print and leave"},
	{long: "highlight", takes: optional, what: "value", on: []string{"logs"}, help: "mark this text"},
	{long: "formatted", on: []string{runtimeName}, help: "lines with the app's name in front"},
	{long: "delay", takes: value, what: "seconds", on: []string{runtimeName}, help: "wait before anything is started"},
	{long: "no-auto-exit", on: []string{runtimeName}, help: "stay when all apps have ended"},
	{long: "web", takes: optional, what: "port", on: []string{runtimeName}, help: "refused"},
	{long: "secret", takes: value, what: "key", on: []string{runtimeName}, help: "accepted; nothing is sent anywhere"},
	{long: "public", takes: value, what: "key", on: []string{runtimeName}, help: "accepted"},
	{long: "machine-name", takes: value, what: "name", on: []string{runtimeName}, help: "accepted"},
	{long: "ignore", takes: value, what: "files", on: []string{devName}, help: "files that do not count"},
	{long: "post-exec", takes: value, what: "command", on: []string{devName}, help: "run this after each start"},
	{long: "silent-exec", on: []string{devName}, help: "do not show what that writes"},
	{long: "test-mode", on: []string{devName}, help: "accepted"},
	{long: "auto-exit", on: []string{devName}, help: "end when all apps have ended"},
	{long: "port", takes: value, what: "port", on: []string{"serve"}, help: "port to listen on"},
	{long: "spa", on: []string{"serve"}, help: "answer unknown paths with index.html"},
	{long: "ftp", on: []string{"serve"}, help: "list folders"},
	{long: "basic-auth-username", takes: value, what: "username", on: []string{"serve"}, help: "ask for this user"},
	{long: "basic-auth-password", takes: value, what: "password", on: []string{"serve"}, help: "with this password"},
	{long: "monitor", takes: optional, what: "frontend-app", on: []string{"serve"}, help: "refused"},
	{long: "container", on: []string{"start"}},
	{long: "dist", on: []string{"start"}},
	{long: "image-name", takes: optional, what: "name", on: []string{"start"}},
	{long: "node-version", takes: optional, what: "major", on: []string{"start"}},
	{long: "fresh", on: []string{"start"}},
	{long: "daemon", on: []string{"start"}},
	{long: "dockerdaemon", on: []string{"start"}},
	{short: "t", long: "tree", on: []string{"slist"}},
	{long: "tarball", on: []string{"install", "publish"}},
	{long: "install", on: []string{"install"}},
	{long: "docker", on: []string{"install"}},
	{long: "v1", on: []string{"install"}},
	{long: "safe", takes: optional, what: "time", on: []string{"install"}},
	{long: "npm", on: []string{"publish"}},
	{long: "info-node", takes: value, what: "url", on: []string{"link", "plus"}},
	{short: "d", long: "discrete", on: []string{"plus"}},
	{long: "install-all", on: []string{"plus"}},
}
