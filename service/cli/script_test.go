package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"roost/internal/httplint"
	"roost/internal/script"
	"roost/internal/testport"
)

const deadline = script.Deadline // for anything that must happen

func TestMain(m *testing.M) {
	script.AtOnce()
	testscript.Main(httplint.Main{M: m}, map[string]func(){
		"roost": func() { os.Exit(Main(os.Args, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs testdata/script: real daemons, real apps, one home a script.
func TestScripts(t *testing.T) {
	t.Parallel()
	script.Find(t, "node")
	roost, err := exec.LookPath("roost")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:         "testdata/script",
		WorkdirRoot: t.TempDir(),
		Setup: func(e *testscript.Env) error {
			home, err := script.Home{Variable: "ROOST_HOME", Log: "logs/roost.log", Kill: roost}.Make(t, e)
			if err != nil {
				return err
			}
			e.Setenv("FREE_PORT", strconv.Itoa(testport.Free(t)))
			// What the daemon of this home listens on when nobody says otherwise.
			const listen = "[host]\nhttp = \"127.0.0.1:0\"\nhttps = \"127.0.0.1:0\"\n"
			return os.WriteFile(filepath.Join(home, "roost.toml"), []byte(listen), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"until": script.Until,
			"code":  code,
			"poll":  poll,
		},
	})
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
