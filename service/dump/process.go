package dump

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"roost/apps"
	"roost/apps/ecosystem"
)

// same are the members of a dumped process that are keys of [[app]] under the same name.
var same = []string{
	"name", "namespace", "args", "node_args", "instance_var", "increment_var", "wait_ready", "listen_timeout", "autorestart", "stop_exit_codes",
	"min_uptime", "max_restarts", "restart_delay", "exp_backoff_restart_delay", "watch", "ignore_watch", "watch_delay", "cron_restart",
	"max_memory_restart", "kill_timeout", "shutdown_with_message", "treekill", "merge_logs", "disable_logs", "log_type", "time", "log_date_format",
	"source_map_support",
}

// renamed are those whose names differ, "a" in PM2 and "b" here.
var renamed = map[string]string{"pm_cwd": "cwd", "uid": "user", "gid": "gid", "pm_log_path": "log_file"}

// fromPM2 are the keys of [[app]] and the environment of a process that PM2 has
// dumped. Its env is all in one, the shell's and what was declared: so it is
// the app's shell environment, which --update-env replaces.
func fromPM2(p map[string]json.RawMessage) (keys map[string]json.RawMessage, environ map[string]string, err error) {
	text := func(member string) string {
		var s string
		_ = json.Unmarshal(p[member], &s) // not a text: empty
		return s
	}
	name, script := text("name"), text("pm_exec_path")
	if name == "" || script == "" || !filepath.IsAbs(script) {
		return nil, nil, errors.New("it has no name, or no absolute pm_exec_path: is this a dump of PM2's?")
	}
	keys = map[string]json.RawMessage{}
	for _, member := range same {
		if v, ok := p[member]; ok && !empty(v) {
			keys[member] = v
		}
	}
	for member, key := range renamed {
		if v, ok := p[member]; ok && !empty(v) {
			keys[key] = quotedNumber(v)
		}
	}
	set := func(key string, v any) {
		keys[key], err = json.Marshal(v)
	}
	set("script", script)
	if interpreter := text("exec_interpreter"); interpreter != "node" && interpreter != "" {
		set("interpreter", interpreter)
	}
	if text("exec_mode") == "cluster_mode" {
		set("instances", 1) // as many as there are of the name
	}
	// Where the files are PM2's usual ones they need no saying.
	for member, key := range map[string]string{"pm_out_log_path": "out_file", "pm_err_log_path": "error_file"} {
		if path := text(member); path != "" && !usualLog(path, apps.PM2Name(name)) {
			set(key, path)
		}
	}
	var env map[string]any
	if err := json.Unmarshal(p["env"], &env); err != nil && p["env"] != nil {
		return nil, nil, fmt.Errorf("the environment of %s cannot be read: %w", name, err)
	}
	environ = map[string]string{}
	for key, v := range env {
		switch v := v.(type) {
		case string:
			environ[key] = v
		case float64:
			environ[key] = strconv.FormatFloat(v, 'f', -1, 64)
		case bool:
			environ[key] = strconv.FormatBool(v)
		}
	}
	for _, key := range []string{"PM2_HOME", "PM2_USAGE", "PM2_INTERACTOR_PROCESSING", "unique_id", name} {
		delete(environ, key)
	}
	if strings.HasSuffix(filepath.ToSlash(script), "/pm2/lib/API/Serve.js") { // PM2's server of folders goes with PM2
		server, wrong := ecosystem.Server(environ)
		for key, v := range server {
			set(key, v)
		}
		delete(keys, "script")
		err = errors.Join(err, wrong)
	}
	return keys, environ, err
}

// empty are values that say nothing.
func empty(v json.RawMessage) bool {
	return slices.Contains([]string{"null", "[]", `""`, "{}"}, string(v))
}

// quotedNumber makes a text of a number: uid 1000 is user "1000".
func quotedNumber(v json.RawMessage) json.RawMessage {
	if _, err := strconv.Atoi(string(v)); err == nil {
		return json.RawMessage(`"` + string(v) + `"`)
	}
	return v
}

// usualLog reports a log file in a folder "logs" that is called as PM2 calls them.
func usualLog(path, name string) bool {
	base := filepath.Base(path)
	return filepath.Base(filepath.Dir(path)) == "logs" && (strings.HasPrefix(base, name+"-out") || strings.HasPrefix(base, name+"-error"))
}

// internal are members that PM2 keeps for itself, or that say how a process fared.
var internal = []string{
	"pm_exec_path", "exec_interpreter", "exec_mode", "env", "pm_out_log_path", "pm_err_log_path", "pm_pid_path", "pm_id", "pm_uptime", "status",
	"restart_time", "unstable_restarts", "created_at", "unique_id", "version", "node_version", "versioning", "exit_code", "prev_restart_delay",
	"axm_actions", "axm_monitor", "axm_options", "axm_dynamic", "km_link", "vizion", "vizion_running", "pmx", "automation", "pmx_module", "username",
	"windowsHide", "kill_retry_time", "filter_env", "autostart", "instances", "NODE_APP_INSTANCE", "_pm2_version", "_km_monitored", "roost",
	"backoff_restart", "PM2_HOME", "PM2_USAGE", "PM2_INTERACTOR_PROCESSING", "io", "command", "started_inside",
}

// left are the members that say something and were not taken over. PM2 has
// every variable of the environment among them once more.
func left(p map[string]json.RawMessage, environ map[string]string) []string {
	var out []string
	var name string
	_ = json.Unmarshal(p["name"], &name) // fromPM2 has refused it otherwise
	for member, v := range p {
		_, variable := environ[member]
		_, other := renamed[member]
		known := slices.Contains(same, member) || slices.Contains(internal, member)
		if !variable && !other && !known && !empty(v) && string(v) != "false" && member != name {
			out = append(out, member)
		}
	}
	slices.Sort(out)
	return out
}
