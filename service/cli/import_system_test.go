//go:build system && unix

package cli

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
)

// TestSystemRootMovesAUsersPM2 wants root: the apps go on as the user whose
// PM2 it was.
func TestSystemRootMovesAUsersPM2(t *testing.T) {
	nobody, err := user.Lookup("nobody")
	if err != nil || os.Geteuid() != 0 {
		t.Fatal("run as root: make test-system")
	}
	b := newMovingBox(t)
	home := b.env[1][len("HOME="):]
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	for _, folder := range []string{home, home + "/pm2", b.work} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(folder, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	for dir := b.work; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.write("who.js", `require('node:http').createServer().listen(0); console.log('as', process.getuid())`)
	start := exec.Command(b.env[0][len("PATH="):len(b.env[0])-len(":"+os.Getenv("PATH"))]+"/pm2", "start", "who.js")
	start.Dir, start.Env = b.work, b.env
	as(start, nobody)
	start.Dir, start.Env = b.work, b.env
	if out, err := start.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b.says(b.run("roost", "import", "pm2"), "who: "+b.work+"/who.js, 1 instance, as nobody")
	b.says(b.run("roost", "import", "pm2", "--take-over"), "took over who")
	b.says(b.run("roost", "logs", "who"), "as "+nobody.Uid)
}
