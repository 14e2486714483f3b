package pm2

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
	"roost/service/cli"

	"github.com/rogpeppe/go-internal/testscript"
)

const deadline = 30 * time.Second // for anything that must happen; a test that waits so long has failed

func TestMain(m *testing.M) {
	main := func() { os.Exit(Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
	testscript.Main(httplint.Main{M: m}, map[string]func(){
		"pm2": main, "pm2-runtime": main, "pm2-docker": main, "pm2-dev": main,
		"roost": func() { os.Exit(cli.Main(os.Args, os.Stdout, os.Stderr)) }, // the daemon
	})
}

// TestScripts runs testdata/script: the program by the name pm2, real daemons,
// real apps, one home a script.
func TestScripts(t *testing.T) {
	for _, tool := range []string{"node", "jq", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing; install it: make deps", tool)
		}
	}
	pm2, err := exec.LookPath("pm2")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			home, err := os.MkdirTemp("", "pm2-") // short: sockets live below it
			if err != nil {
				return err
			}
			e.Defer(func() {
				kill := exec.Command(pm2, "kill")
				kill.Env = append(e.Vars, "PM2_HOME="+home)
				if out, err := kill.CombinedOutput(); err != nil {
					t.Errorf("cannot end the daemon: %v: %s", err, out)
				}
				if this, ok := e.T().(interface{ Failed() bool }); ok && this.Failed() {
					log, _ := os.ReadFile(filepath.Join(home, "pm2.log"))
					t.Logf("pm2.log:\n%s", log)
				}
				os.RemoveAll(home)
			})
			e.Setenv("PM2_HOME", home)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("TERM", "xterm")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"until": until},
	})
}

// until runs a command again and again until its stdout matches: until PATTERN COMMAND ARG...
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND ARG...")
	}
	pattern := regexp.MustCompile("(?m)" + args[0])
	over := time.After(deadline)
	for {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if err == nil && pattern.MatchString(out) {
			return
		}
		select {
		case <-over:
			ts.Fatalf("waited in vain for %q of %s: %v\n%s%s", args[0], strings.Join(args[1:], " "), err, out, ts.ReadFile("stderr"))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// newHome is a home of its own, ended with the test, a folder to work in, and
// what runs pm2 there in an environment that is the same everywhere.
func newHome(t *testing.T) (work string, run func(args ...string) ([]byte, error)) {
	t.Helper()
	home, err := os.MkdirTemp("", "pm2-") // short: sockets live below it
	if err != nil {
		t.Fatal(err)
	}
	work = t.TempDir()
	run = func(args ...string) ([]byte, error) {
		cmd := exec.Command("pm2", args...)
		cmd.Dir = work
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + work, "USER=ann", "PM2_HOME=" + home, "FOO=bar", "NO_COLOR=1"}
		out, err := cmd.Output()
		if exit, ok := err.(*exec.ExitError); ok {
			err = fmt.Errorf("pm2 %s: %w: %s%s", strings.Join(args, " "), err, out, exit.Stderr)
		}
		return out, err
	}
	t.Cleanup(func() {
		if _, err := run("kill"); err != nil {
			t.Error(err)
		}
		os.RemoveAll(home)
	})
	return work, run
}
