package pm2

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"roost/apps/ecosystem"
)

// pm2Keys are the keys of an app declaration of PM2 7.0.4.
const pm2Keys = `script name name_prefix namespace cwd args exec_interpreter interpreter node_args exec_mode instances increment_var
instance_var env env_<name> filter_env append_env_to_name port out_file error_file log_file merge_logs disable_logs log_type log_date_format
time pid_file autostart autorestart stop_exit_codes max_restarts min_uptime restart_delay exp_backoff_restart_delay max_memory_restart
cron_restart kill_timeout kill_retry_time treekill shutdown_with_message wait_ready listen_timeout watch ignore_watch watch_delay watch_options
uid user gid source_map_support disable_source_map_support vizion post_update force execute_command write windowsHide username install_url
pmx automation io trace disable_trace v8 event_loop_inspector deep_monitoring`

// pm2Commands are the commands of PM2 7.0.4, and names that its users know
// though it has removed them.
const pm2Commands = `start stop restart reload delete del scale list ls l ps status jlist prettylist describe desc info show env pid id logs log
flush reloadLogs save dump resurrect cleardump startup unstartup monit dashboard dash kill update updatePM2 reset serve expose deploy ecosystem init
sendSignal startOrRestart startOrReload startOrGracefulReload ping send attach trigger inspect get set multiset unset conf config install
uninstall package publish profile:mem profile:cpu report slist sysinfos imonit logrotate pull forward backward deepUpdate create completion
autoinstall install-otel uninstall-otel examples link unlink monitor unmonitor open plus register login logout web interact gracefulReload gracefulStop`

func TestTheTableHasEveryCommandFlagAndKey(t *testing.T) {
	text, err := os.ReadFile("../../docs/pm2.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{} // words in code in rows of tables
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		for _, code := range regexp.MustCompile("`[^`]+`").FindAllString(line, -1) {
			for _, word := range strings.FieldsFunc(code, func(r rune) bool { return strings.ContainsRune("` ,[]|\\", r) }) {
				said[word] = true
			}
		}
	}
	has := func(kind, word string) {
		if !said[word] {
			t.Errorf("docs/pm2.md does not say what becomes of the %s %s", kind, word)
		}
	}
	for word := range strings.FieldsSeq(pm2Commands) {
		if lookUp(word) == nil && word != "completion" {
			t.Errorf("pm2 %s is unknown, neither there nor refused with a reason", word)
		}
		has("command", word)
	}
	for _, f := range flags {
		if f.long != "" {
			has("flag", "--"+f.long)
		}
	}
	for word := range strings.FieldsSeq(pm2Keys) {
		has("key", word)
	}
	for _, word := range ecosystem.Aliases() {
		has("key", word)
	}
}
