// Package script is what test scripts of the command line share: a home with a
// daemon that ends with the script, and a command that waits.
package script

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Deadline is for anything that must happen; a test that waits so long has failed.
const Deadline = 30 * time.Second

// AtOnce has more tests and scripts run at the same time than there are processors, unless -parallel says how many:
// each waits for nearly all of its time, for a program to start and to prove that it stays.
func AtOnce() {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err) // there is no such flag
	}
}

// Home is the home of the daemon of one script.
type Home struct {
	Variable string // of the environment: where it is
	Log      string // the daemon's, below it; shown when the script fails
	Kill     string // the program whose command "kill" ends the daemon
}

// Make makes the home, which ends with the script.
func (h Home) Make(t *testing.T, e *testscript.Env) (dir string, err error) {
	dir, err = os.MkdirTemp("", filepath.Base(h.Kill)+"-") // short: sockets live below it
	if err != nil {
		return "", err
	}
	e.Defer(func() {
		kill := exec.Command(h.Kill, "kill")
		kill.Env = append(e.Vars, h.Variable+"="+dir)
		if out, err := kill.CombinedOutput(); err != nil {
			t.Errorf("cannot end the daemon: %v: %s", err, out)
		}
		if this, ok := e.T().(interface{ Failed() bool }); ok && this.Failed() {
			log, err := os.ReadFile(filepath.Join(dir, h.Log))
			t.Logf("%s: %v\n%s", h.Log, err, log)
		}
		os.RemoveAll(dir)
	})
	e.Setenv(h.Variable, dir)
	e.Setenv("HOME", e.WorkDir)
	e.Setenv("TERM", "xterm")
	return dir, nil
}

// Until runs a command again and again until its stdout matches: until PATTERN COMMAND ARG...
func Until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND ARG...")
	}
	pattern := regexp.MustCompile("(?m)" + args[0])
	over := time.After(Deadline)
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

// Find fails the test with the line that installs what is missing; each tool is a command on the PATH.
func Find(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing; install it: make deps", tool)
		}
	}
}
