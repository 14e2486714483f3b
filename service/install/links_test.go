//go:build unix

package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "roost")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho $0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheProgramGetsPM2sNamesAndLosesThemAgain(t *testing.T) {
	roost := program(t)
	for range 2 { // again changes nothing
		if err := linkable(roost); err != nil {
			t.Fatal(err)
		}
		links, err := link(roost)
		if err != nil || len(links) != 3 {
			t.Fatalf("links %v, %v", links, err)
		}
	}
	for _, name := range []string{"pm2", "pm2-runtime", "pm2-dev"} {
		if to, err := os.Readlink(filepath.Join(filepath.Dir(roost), name)); err != nil || to != "roost" {
			t.Errorf("%s leads to %q, %v", name, to, err)
		}
	}
	if err := unlink(roost); err != nil {
		t.Fatal(err)
	}
	left, _ := os.ReadDir(filepath.Dir(roost))
	if len(left) != 1 || left[0].Name() != "roost" {
		t.Errorf("left %v", left)
	}
}

func TestAnotherProgramsNameIsNotTaken(t *testing.T) {
	roost := program(t)
	theirs := filepath.Join(filepath.Dir(roost), "pm2-dev")
	if err := os.WriteFile(theirs, []byte("theirs"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := linkable(roost)
	if err == nil || !strings.Contains(err.Error(), theirs+" is there already") {
		t.Errorf("linkable = %v", err)
	}
	if err := unlink(roost); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(theirs); err != nil || string(text) != "theirs" {
		t.Errorf("their program holds %q, %v", text, err)
	}
}

func TestALinkThatLeadsNowhereIsReplaced(t *testing.T) {
	roost := program(t)
	if err := os.Symlink("gone", filepath.Join(filepath.Dir(roost), "pm2")); err != nil {
		t.Fatal(err)
	}
	if err := linkable(roost); err != nil {
		t.Fatal(err)
	}
	if _, err := link(roost); err != nil {
		t.Fatal(err)
	}
}
