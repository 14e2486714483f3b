//go:build unix

package apps

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roost/internal/testport"

	"golang.org/x/sys/unix"
)

func TestALongRunDirIsReplacedByAShortOne(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := openSocketDir(long, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	path := d.file(laneExt)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatalf("cannot listen on %s: %v", path, err)
	}
	l.Close()
	if info, err := os.Stat(d.path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v, want 0700", info.Mode(), err)
	}
	d.close()
	if _, err := os.Stat(d.path); !errors.Is(err, os.ErrNotExist) {
		t.Error("the folder is left behind")
	}
}

func TestAnAppRunsWithALongRunDir(t *testing.T) {
	a := live(t)
	a.App.o.RunDir = filepath.Join(a.run, strings.Repeat("x", 120))
	if err := os.Mkdir(a.App.o.RunDir, 0o700); err != nil {
		t.Fatal(err)
	}
	w := a.node("app.js", answering+"server.listen(0)", 1)
	w.Serves = true
	a.want(w)
	a.answers("/", "0 1")
	a.stop()
	os.RemoveAll(a.App.o.RunDir)
}

func TestPrivatePortsAreGivenOnce(t *testing.T) {
	p := &portPool{first: 20000, count: 10000}
	seen := map[int]bool{}
	for range 50 {
		port, err := p.take()
		if err != nil || seen[port] {
			t.Fatalf("port %d a second time, or %v", port, err)
		}
		seen[port] = true
	}
	port, err := p.take()
	if err != nil {
		t.Fatal(err)
	}
	small := &portPool{first: port, count: 1}
	if got, err := small.take(); got != port || err != nil {
		t.Errorf("take = %d, %v", got, err)
	}
	if got, err := small.take(); err == nil {
		t.Errorf("take = %d, though all are taken", got)
	}
	small.give(port)
	l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got, err := small.take(); err == nil {
		t.Errorf("take = %d, on which a program listens", got)
	}
}

func TestASharedPortIsOpenUntilNobodyUsesIt(t *testing.T) {
	o := newPorts()
	defer o.close()
	p := ownPort{host: "127.0.0.1", port: testport.Free(t)}
	open := func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	for range 2 {
		fd, err := o.take(p)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
	}
	o.give(p)
	o.prune()
	if !open() {
		t.Error("closed while an instance uses it")
	}
	o.give(p)
	if !open() {
		t.Error("closed before the app has settled")
	}
	o.prune()
	if open() {
		t.Error("open though nobody uses it")
	}
	if got, want := (ownPort{host: "::", port: 1}).normal(), (ownPort{port: 1}); got != want {
		t.Errorf("normal = %+v", got)
	}
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := o.take(p); errorCode(err) != "EADDRINUSE" {
		t.Errorf("take = %v", err)
	}
}

// A program that restarts for months must not use up our file descriptors.
func TestRestartsLeaveNoFileDescriptorsBehind(t *testing.T) {
	fds := func() int {
		entries, err := os.ReadDir("/dev/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	a := live(t)
	w := a.node("app.js", "require('node:http').createServer().listen(0, () => process.exit(1))", 1)
	w.RestartDelay, w.MaxRestarts = unitOf(1), 1000
	a.Want(w)
	eventually(t, "it restarts", func() bool { return a.instance(0).Restarts >= 2 })
	before := fds()
	eventually(t, "it restarts on", func() bool { return a.instance(0).Restarts >= 12 })
	w.Slots[0].Stopped = true
	a.want(w)
	if after := fds(); after > before {
		t.Errorf("%d open files after ten restarts, %d before", after, before)
	}
}
