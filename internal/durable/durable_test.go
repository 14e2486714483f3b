package durable

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

func TestContentIsOnTheDiskBeforeItsNameAndItsNameBeforeWriteFileReturns(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b")
	path := filepath.Join(dir, "file")
	var synced []string
	was := fsync
	defer func() { fsync = was }()
	fsync = func(f *os.File) error {
		name, _ := filepath.Rel(root, f.Name())
		if _, err := os.Stat(path); Temporary(f.Name()) {
			if content, _ := os.ReadFile(f.Name()); string(content) != "content" {
				t.Errorf("synced with %q in it", content)
			}
			if err == nil {
				t.Error("the name was there before the content was synced")
			}
			name = "temporary"
		} else if name == filepath.Join("a", "b") && err != nil {
			t.Error("the folder was synced before it had the name")
		}
		synced = append(synced, filepath.ToSlash(name))
		return was(f)
	}
	if err := MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{".", "a", "temporary", "a/b"}
	if runtime.GOOS == "windows" {
		want = []string{"temporary"}
	}
	if !slices.Equal(synced, want) {
		t.Errorf("synced %q, want %q", synced, want)
	}
	if err := MkdirAll(filepath.Join(path, "below"), 0o700); err == nil {
		t.Error("a folder was made in a file")
	}
}

func TestWhatAKilledProgramHasLeftIsSweptAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"kept", ".kept", ".kept-abc", "sub/.cert.crt-123", ".new-456"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if name != ".new-456" {
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := Sweep(dir, time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	for name, stays := range map[string]bool{"kept": true, ".kept": true, ".kept-abc": true, "sub/.cert.crt-123": false, ".new-456": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != stays {
			t.Errorf("%s: %v, want it to stay: %v", name, err, stays)
		}
	}
	if err := Sweep(filepath.Join(dir, "none"), time.Now()); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestWriteFileReplacesTheWholeFileAndItsPermissions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	for _, content := range []string{"a longer first content", "second"} {
		if err := WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != content {
			t.Errorf("content = %q, want %q", got, content)
		}
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("permissions = %v, want 0600", info.Mode().Perm())
	}
}

func TestWriteFileLeavesTheOldFileAndNoRubbishWhenItFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	if err := os.MkdirAll(filepath.Join(path, "in-the-way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("x"), 0o600); err == nil {
		t.Fatal("writing over a folder succeeded")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("files left behind: %v", left)
	}
	if err := WriteFile(filepath.Join(dir, "missing", "f"), nil, 0o600); err == nil {
		t.Error("writing into a missing folder succeeded")
	}
}
