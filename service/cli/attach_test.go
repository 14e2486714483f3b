//go:build unix

package cli

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

func TestAttachOnATerminalLeavesTheInstanceRunning(t *testing.T) {
	t.Parallel()
	home, err := os.MkdirTemp("", "roost-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(home)
	roost, err := exec.LookPath("roost") // as TestMain makes it
	if err != nil {
		t.Fatal(err)
	}
	command := func(words ...string) *exec.Cmd {
		cmd := exec.Command(roost, words...)
		cmd.Env = append(os.Environ(), "ROOST_HOME="+home, "TERM=xterm", "NO_COLOR=1")
		return cmd
	}
	if out, err := command("start", "cat", "--name", "echo").CombinedOutput(); err != nil {
		t.Fatalf("start: %v\n%s", err, out)
	}
	defer func() {
		if out, err := command("kill").CombinedOutput(); err != nil {
			t.Errorf("kill: %v\n%s", err, out)
		}
	}()

	attached := command("attach", "echo")
	tty, err := pty.Start(attached)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	over := time.AfterFunc(deadline, func() { attached.Process.Kill() })
	defer over.Stop()
	screen := bufio.NewReader(tty)
	await := func(text string) {
		t.Helper()
		for {
			line, err := screen.ReadString('\n')
			if strings.Contains(line, text) {
				return
			}
			if err != nil {
				t.Fatalf("no %q on the screen: %v", text, err)
			}
		}
	}
	await("attached to 0; Ctrl-C leaves it running")
	io.WriteString(tty, "hello there\n")
	await("hello there") // typed
	await("hello there") // and answered
	io.WriteString(tty, "\x03")
	io.Copy(io.Discard, screen)
	if err := attached.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
	if out, err := command("pid", "echo").CombinedOutput(); err != nil {
		t.Errorf("the instance does not run any more: %v\n%s", err, out)
	}
}
