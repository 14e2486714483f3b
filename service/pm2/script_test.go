package pm2

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"roost/internal/httplint"
	"roost/internal/script"
	"roost/service/cli"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	script.AtOnce()
	main := func() { os.Exit(Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
	testscript.Main(httplint.Main{M: m}, map[string]func(){
		"pm2": main, "pm2-runtime": main, "pm2-docker": main, "pm2-dev": main,
		"roost": func() { os.Exit(cli.Main(os.Args, os.Stdout, os.Stderr)) }, // the daemon
	})
}

// TestScripts runs testdata/script: the program by the name pm2, real daemons,
// real apps, one home a script.
func TestScripts(t *testing.T) {
	t.Parallel()
	script.Find(t, "node", "jq", "bash")
	pm2, err := exec.LookPath("pm2")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:         "testdata/script",
		WorkdirRoot: t.TempDir(),
		Setup: func(e *testscript.Env) error {
			_, err := script.Home{Variable: "PM2_HOME", Log: "pm2.log", Kill: pm2}.Make(t, e)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"until": script.Until},
	})
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
