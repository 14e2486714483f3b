//go:build unix

package apps

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAPIDFileTellsTheProcessThatServes(t *testing.T) {
	a := live(t)
	a.o.PM2Home = a.dir
	w := a.sh("exec tail -f /dev/null")
	w.MinUptime, w.Name, w.Slots[0].ID = unitOf(10*time.Millisecond), "my_app", 3
	a.want(w)
	path := filepath.Join(a.dir, "pids/my-app-3.pid")
	tells := func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && string(text) == fmt.Sprintln(a.instance(0).PID)
	}
	if !tells(path) {
		t.Error("the file does not tell the process")
	}
	first := a.instance(0).PID
	w = next(w)
	a.want(w)
	if a.instance(0).PID == first || !tells(path) {
		t.Error("the file does not tell the process after a reload")
	}
	good := a.instance(0).PID
	bad := next(w)
	bad.Command, bad.Script, bad.Interpreter = "/bin/sh -c 'exit 1'", "", ""
	if err := a.try(bad); err == nil {
		t.Fatal("the reload has not failed")
	}
	a.want(w)
	if text, err := os.ReadFile(path); string(text) != fmt.Sprintln(good) {
		t.Errorf("after a failed reload the file tells %q, %v; want %d", text, err, good)
	}
	w = next(w)
	w.PIDFile = "run/web.pid"
	a.want(w)
	if !tells(filepath.Join(a.dir, "run/web-3.pid")) || exists(path) {
		t.Error("pid_file does not tell the process, or the other still does")
	}
	a.stop()
	if exists(filepath.Join(a.dir, "run/web-3.pid")) {
		t.Error("the file is left after the stop")
	}
}

func TestInPM2sLayoutAnAppFindsWhatPM2TellsIt(t *testing.T) {
	a := live(t)
	a.o.PM2Home = a.dir
	w := a.node("app.js", `
		require('node:fs').writeFileSync('env.' + process.env.restart_time, JSON.stringify(process.env) + '\n')
		process.on('SIGUSR2', () => process.exit(1))
		setInterval(() => {}, 1000)
		process.send('ready')`, 1)
	w.WaitReady, w.Slots[0].ID = true, 5
	w.Environ = map[string]string{"status": "shell", "instances": "9", "PATH": os.Getenv("PATH")}
	w.Env = map[string]string{"name": "mine"}
	w.LogFile = "all.log"
	a.want(w)
	text := a.read("env.0")
	for _, want := range []string{
		`"PM2_HOME":"` + a.dir + `"`, `"PM2_USAGE":"CLI"`, `"name":"mine"`, `"namespace":"default"`, `"status":"launching"`, `"instances":"1"`,
		`"pm_id":"5"`, `"NODE_APP_INSTANCE":"0"`, `"pm_exec_path":"` + w.Script + `"`, `"pm_cwd":"` + a.dir + `"`, `"pm_pid_path":"` + a.dir + `/pids/web-5.pid"`,
		`"pm_out_log_path":"` + a.dir + `/logs/web-out.log"`, `"pm_err_log_path":"` + a.dir + `/logs/web-error.log"`, `"pm_log_path":"` + a.dir + `/all.log"`,
		`"exec_mode":"fork_mode"`, `"exec_interpreter":"node"`, `"unique_id":"` + UniqueID(a.dir, "web", 5) + `"`, `"autorestart":"true"`, `"watch":"false"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the environment lacks %s:\n%s", want, text)
		}
	}
	if err := a.Signal(5, 12); err != nil {
		t.Fatal(err)
	}
	if again := a.read("env.1"); !strings.Contains(again, UniqueID(a.dir, "web", 5)) {
		t.Errorf("unique_id has changed: %s", again)
	}
	if UniqueID(a.dir, "web", 5) == UniqueID(a.dir, "web", 6) || UniqueID(a.dir, "web", 5) == UniqueID(a.run, "web", 5) {
		t.Error("two slots share a unique_id")
	}
}
