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
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sys/unix"
)

func TestAPasswordIsTypedUnseen(t *testing.T) {
	t.Parallel()
	roost, err := exec.LookPath("roost") // as TestMain makes it
	if err != nil {
		t.Fatal(err)
	}
	run := func(typed ...string) (screen string, code int, tty *os.File) {
		t.Helper()
		cmd := exec.Command(roost, "hash-password", "--cost", "4")
		cmd.Env = append(os.Environ(), "ROOST_HOME="+t.TempDir(), "TERM=xterm", "NO_COLOR=1")
		tty, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { tty.Close() })
		over := time.AfterFunc(deadline, func() { cmd.Process.Kill() })
		defer over.Stop()
		from := bufio.NewReader(tty)
		for _, text := range typed {
			for !strings.HasSuffix(screen, ": ") {
				b, err := from.ReadByte()
				if err != nil {
					t.Fatalf("no prompt: %v: %s", err, screen)
				}
				screen += string(b)
			}
			until := time.Now().Add(deadline)
			for echoes(t, tty) && time.Now().Before(until) { // the prompt is there a moment before
				<-time.After(time.Millisecond)
			}
			io.WriteString(tty, text)
			screen += "\n"
		}
		rest, _ := io.ReadAll(from) // ends in an error when the other end is closed
		cmd.Wait()
		return screen + string(rest), cmd.ProcessState.ExitCode(), tty
	}
	screen, code, _ := run("open sesame\n", "open sesame\n")
	_, hash, _ := strings.Cut(screen, "$2a$")
	if code != 0 || strings.Contains(screen, "sesame") || bcrypt.CompareHashAndPassword([]byte("$2a$"+strings.TrimSpace(hash)), []byte("open sesame")) != nil {
		t.Errorf("%d: %s", code, screen)
	}
	if screen, code, _ := run("open sesame\n", "open barley\n"); code != 2 || !strings.Contains(screen, "roost: the two are not the same") {
		t.Errorf("%d: %s", code, screen)
	}
	if screen, code, _ := run("\n"); code != 2 || !strings.Contains(screen, "hint: type one") {
		t.Errorf("%d: %s", code, screen)
	}
	if screen, code, tty := run("open\x03"); code == 0 || !echoes(t, tty) {
		t.Errorf("%d, echo %v: %s", code, echoes(t, tty), screen)
	}
}

// echoes says whether a terminal shows what is typed.
func echoes(t *testing.T, tty *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}
