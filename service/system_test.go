//go:build system && linux

package service

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"roost/service/control"
)

func TestSystemAnotherUserIsRefusedEvenWhereTheFolderLetsThatUserIn(t *testing.T) {
	dirs := home(t)
	begin(t, Options{Dirs: dirs, host: withFake(&fakeBox{})})
	for path, mode := range map[string]os.FileMode{dirs.State: 0o755, dirs.Run: 0o755, dirs.Socket(): 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	self := filepath.Join(dirs.State, "client") // the folder of the test binary is root's alone
	text, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(self, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	ping := func(uid uint32) string {
		t.Helper()
		cmd := exec.Command(self)
		cmd.Env = []string{clientOf + "=" + dirs.Socket()}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, NoSetGroups: true}}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("as root this test runs a client as user %d: %v", uid, err)
		}
		return string(out)
	}
	if got := ping(65534); !strings.HasPrefix(got, control.CodeForbidden+":") || !strings.Contains(got, "user 65534") {
		t.Errorf("another user got %q", got)
	}
	if got := ping(0); got != ": <nil>" {
		t.Errorf("root got %q", got)
	}
}

func TestSystemAFullDiskLosesNoAcknowledgedChange(t *testing.T) {
	dirs := home(t)
	if err := unix.Mount("tmpfs", dirs.State, "tmpfs", 0, "size=512k"); err != nil {
		t.Fatalf("this test mounts a small disk, as root: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dirs.State, unix.MNT_DETACH) })
	d := begin(t, Options{Dirs: dirs})
	ctx := t.Context()
	a, err := d.Start(ctx, shell(t, "talks", "while :; do echo talk; sleep 0.01; done", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	filler, err := os.Create(filepath.Join(dirs.State, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for chunk := 4096; chunk > 0; chunk /= 2 {
		for err = nil; err == nil; {
			_, err = io.WriteString(filler, strings.Repeat("x", chunk))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	filler.Close()
	if _, err := d.Act(ctx, control.ActRequest{Verb: "delete", Targets: []string{"talks"}}, nil); code(err) != control.CodeStorage || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("delete on a full disk: %v", err)
	}
	if rows, err := d.Instances(ctx, nil); err != nil || !slices.Equal(pids(rows), pids(a.Instances)) {
		t.Errorf("it runs as %v, %v, before as %v", rows, err, pids(a.Instances))
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Scale(ctx, control.ScaleRequest{App: "talks", Change: "2"}, nil); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := d.stop(); err != nil {
		t.Error(err)
	}
	if c := stored(t, dirs.State); len(c.App("talks").Slots) != 2 {
		t.Errorf("kept: %+v", c.Apps)
	}
}
