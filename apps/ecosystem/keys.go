package ecosystem

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// aliases are PM2's other names of keys, and its names of keys that are called
// otherwise here.
var aliases = map[string]string{
	"exec": "script", "cmd": "script",
	"exec_interpreter": "interpreter", "interpreter_args": "node_args",
	"out": "out_file", "output": "out_file", "out_log": "out_file",
	"error": "error_file", "err": "error_file", "err_file": "error_file", "err_log": "error_file",
	"log": "log_file", "combine_logs": "merge_logs",
	"pid": "pid_file", "cron": "cron_restart", "uid": "user", "group": "gid",
}

// idle are keys that PM2 knows and that have nothing to do here.
var idle = map[string]bool{
	"vizion": true, "post_update": true, "pmx": true, "automation": true, "km": true, "km_link": true, "io": true,
	"trace": true, "disable_trace": true, "v8": true, "event_loop_inspector": true, "deep_monitoring": true,
	"windows_hide": true, "kill_retry_time": true, "watch_options": true,
	"force": true, "write": true, "username": true, "install_url": true,
}

// Aliases are all names of keys that Normal gives another.
func Aliases() []string {
	return append(slices.Sorted(maps.Keys(aliases)), "name_prefix", "append_env_to_name", "execute_command", "disable_source_map_support")
}

// snake writes a camelCase key as PM2's schema has it: maxMemoryRestart is
// max_memory_restart. Other keys stay as they are.
func snake(key string) string {
	if key == "" || !unicode.IsLower(rune(key[0])) || strings.ContainsAny(key, "_-.") {
		return key
	}
	var b strings.Builder
	for _, c := range key {
		if unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// envTable is the name of the tables that hold the variables of one
// environment: env_production is "production".
func envTable(key string) (name string, ok bool) {
	name, ok = strings.CutPrefix(key, "env_")
	return name, ok && name != "" && key != "env_file"
}
