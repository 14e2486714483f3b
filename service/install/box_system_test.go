//go:build system

package install_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const patience = 90 * time.Second

// box is a Debian with a systemd of its own; see testdata/systemd-box.
type box struct {
	t    *testing.T
	dir  string
	root string
}

// newBox copies the root tree, which is built once and kept in ROOST_TEST_CACHE, and boots the copy.
func newBox(t *testing.T) *box {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test boots a system and needs root: sudo make test-system")
	}
	for tool, pkg := range map[string]string{"debootstrap": "debootstrap", "unshare": "util-linux", "ip": "iproute2", "pgrep": "procps"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing; install it: apt-get install %s (or make deps-system)", tool, pkg)
		}
	}
	cache := os.Getenv("ROOST_TEST_CACHE")
	if cache == "" {
		cache = "/var/cache/roost-test"
	}
	pristine := filepath.Join(cache, "bookworm-node")
	if _, err := os.Stat(filepath.Join(pristine, "root/usr/bin/node")); err != nil {
		os.RemoveAll(pristine)
		if err := os.MkdirAll(cache, 0o755); err != nil {
			t.Fatal(err)
		}
		making, err := os.MkdirTemp(cache, "making-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(making)
		command(t, 10*time.Minute, "testdata/systemd-box", "create", making, "nodejs")
		if err := os.Rename(making, pristine); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "roost-box-")
	if err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, dir: dir, root: filepath.Join(dir, "root")}
	t.Cleanup(func() {
		exec.Command("testdata/systemd-box", "crash", dir).Run() // fails when it is down already
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	command(t, 2*time.Minute, "cp", "-a", "--reflink=auto", filepath.Join(pristine, "root"), b.root)
	b.power("boot")
	return b
}

func command(t *testing.T, limit time.Duration, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, err := run(ctx, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// run gives the output through a file, so that a command which leaves a
// background process behind (booting does) does not keep the test waiting.
func run(ctx context.Context, name string, args ...string) (string, error) {
	file, err := os.CreateTemp("", "roost-run-")
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = file, file
	err = cmd.Run()
	out, _ := os.ReadFile(file.Name())
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// power boots, halts or crashes the box.
func (b *box) power(verb string) {
	b.t.Helper()
	command(b.t, 2*time.Minute, "testdata/systemd-box", verb, b.dir)
}

// do runs a command in the box; it must succeed.
func (b *box) do(args ...string) string {
	b.t.Helper()
	return command(b.t, 2*time.Minute, "testdata/systemd-box", append([]string{"exec", b.dir}, args...)...)
}

// until runs a command in the box until its output has the part.
func (b *box) until(part string, args ...string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	for {
		out, err := run(ctx, "testdata/systemd-box", append([]string{"exec", b.dir}, args...)...)
		if err == nil && strings.Contains(out, part) {
			return
		}
		select {
		case <-ctx.Done():
			journal, _ := run(context.Background(), "testdata/systemd-box", "exec", b.dir, "journalctl", "--no-pager", "-u", "roost", "-n", "40")
			b.t.Fatalf("waited in vain for %q from %v; last:\n%s %v\njournal:\n%s", part, args, out, err, journal)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// put copies a file or a folder into the box.
func (b *box) put(from, to string) {
	b.t.Helper()
	command(b.t, time.Minute, "mkdir", "-p", filepath.Dir(filepath.Join(b.root, to)))
	command(b.t, time.Minute, "cp", "-a", from, filepath.Join(b.root, to))
}

// build compiles a program of this module into the box, without libc.
func (b *box) build(pkg, to string) {
	b.t.Helper()
	cmd := exec.Command("go", "build", "-o", filepath.Join(b.root, to), pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		b.t.Fatalf("cannot build %s: %v\n%s", pkg, err, out.String())
	}
}
