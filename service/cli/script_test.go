package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"roost/internal/httplint"
)

const deadline = 30 * time.Second // for anything that must happen; a test that waits so long has failed

func TestMain(m *testing.M) {
	testscript.Main(httplint.Main{M: m}, map[string]func(){
		"roost": func() { os.Exit(Main(os.Args, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs testdata/script: real daemons, real apps, one home a script.
func TestScripts(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("node is missing; install it: make deps")
	}
	roost, err := exec.LookPath("roost")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			home, err := os.MkdirTemp("", "roost-") // short: sockets live below it
			if err != nil {
				return err
			}
			e.Defer(func() {
				kill := exec.Command(roost, "kill")
				kill.Env = append(e.Vars, "ROOST_HOME="+home)
				if out, err := kill.CombinedOutput(); err != nil {
					t.Errorf("cannot end the daemon: %v: %s", err, out)
				}
				if this, ok := e.T().(interface{ Failed() bool }); ok && this.Failed() {
					log, _ := os.ReadFile(filepath.Join(home, "logs", "roost.log"))
					t.Logf("roost.log:\n%s", log)
				}
				os.RemoveAll(home)
			})
			// What the daemon of this home listens on when nobody says otherwise.
			const listen = "[host]\nhttp = \"127.0.0.1:0\"\nhttps = \"127.0.0.1:0\"\n"
			e.Setenv("ROOST_HOME", home)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("TERM", "xterm")
			return os.WriteFile(filepath.Join(home, "roost.toml"), []byte(listen), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"until": until,
			"code":  code,
			"poll":  poll,
		},
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

// code runs a command and wants an exit code: code 2 COMMAND ARG...
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code NUMBER COMMAND ARG...")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = fmt.Sprint(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s\n%s%s", got, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// poll waits until a file matches: poll PATTERN FILE.
func poll(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: poll PATTERN FILE")
	}
	pattern := regexp.MustCompile("(?m)" + args[0])
	for over := time.Now().Add(deadline); !pattern.MatchString(ts.ReadFile(args[1])); {
		if time.Now().After(over) {
			ts.Fatalf("%s never matched %q", args[1], args[0])
		}
		<-time.After(10 * time.Millisecond)
	}
}
