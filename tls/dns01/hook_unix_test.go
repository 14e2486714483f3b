//go:build unix

package dns01

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// script makes a program of these lines of the shell.
func script(t *testing.T, lines string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+lines+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestACommandIsToldWhatToChange(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	program := script(t, `echo "$#|$1|$2|$3|$4|$5|$ROOST_DNS_ACTION|$ROOST_DNS_NAME|$ROOST_DNS_VALUE|$ROOST_DNS_ZONE" >>`+out)
	p := provider(t, Config{Provider: Exec, Command: program + ` --zone "two words"`})
	if err := set(t.Context(), p, value); err != nil {
		t.Fatal(err)
	}
	if err := remove(t.Context(), p, value); err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, verb := range []string{"present", "cleanup"} {
		want += "5|--zone|two words|" + strings.Join([]string{verb, name, value, verb, name, value, "example.com"}, "|") + "\n"
	}
	if got := read(t, out); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestWhyACommandFailsIsTold(t *testing.T) {
	t.Parallel()
	p := provider(t, Config{Provider: Exec, Command: script(t, `echo "no such zone" >&2; exit 3`)})
	says(t, set(t.Context(), p, value), "through exec", "exit status 3", "no such zone")
	p = provider(t, Config{Provider: Exec, Command: script(t, `i=0; while [ $i -lt 9000 ]; do echo "line $i"; i=$((i+1)); done; exit 1`)})
	err := set(t.Context(), p, value)
	says(t, err, "line 8999")
	if len(err.Error()) > 2000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
	p = provider(t, Config{Provider: Exec, Command: filepath.Join(t.TempDir(), "none")})
	says(t, set(t.Context(), p, value), "no such file")
}

func TestACommandThatDoesNotEndIsKilledWithItsChildren(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "alive")
	p := provider(t, Config{Provider: Exec, Command: script(t, `sleep 600 & echo $! >`+pipe+`; wait`)})
	p.limit = 500 * time.Millisecond
	says(t, set(t.Context(), p, value), "no answer within 500ms", "killed")
	child := strings.TrimSpace(read(t, pipe))
	for deadline := time.Now().Add(10 * time.Second); running(child); {
		if time.Now().After(deadline) {
			t.Fatal("its child is still there")
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestWhatACommandLeavesBehindHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	pid := filepath.Join(t.TempDir(), "pid")
	p := provider(t, Config{Provider: Exec, Command: script(t, `sleep 30 & echo $! >`+pid)})
	start := time.Now()
	if err := set(t.Context(), p, value); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	end(t, strings.TrimSpace(read(t, pid)))
}

// running reports whether there is a process that is not a zombie.
func running(pid string) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}

func end(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}
