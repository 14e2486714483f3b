//go:build unix

package host

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() { testModes["few files"] = serveWithFewFiles }

// serveWithFewFiles is a host in a process that may have 80 files open. It
// prints its address, and for each line of input how often accepting has
// failed and how many requests the express lane has answered; for a line
// "idle" once nothing is being answered.
func serveWithFewFiles() {
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 80, Max: 80}); err != nil {
		fmt.Println(err)
		return
	}
	dir := os.Getenv("HOST_TEST_DIR")
	h, err := New(Options{RunDir: filepath.Join(dir, "run"), LogDir: filepath.Join(dir, "logs"), TLSDir: filepath.Join(dir, "tls")})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	h.Want(Config{Host: Listen{HTTP: "127.0.0.1:0", HTTPS: "off", MaxConnections: 1000, MaxConnectionsPerClient: 1000, ProgressTimeout: milliseconds(3600000)},
		Sites: []Site{holding(filepath.Join(dir, "site"))}})
	if err := h.Settle(ctx); err != nil {
		fmt.Println(err)
		return
	}
	holdBelow(h, nil)
	fmt.Println(h.Status().Listeners[0].Address)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		for lines.Text() == "idle" && (&box{Host: h}).busy() > 0 {
			<-time.After(time.Millisecond)
		}
		fmt.Println(h.Status().AcceptFailures, h.servers.Load().plain.lane.Answered())
	}
	cancel()
	<-ended
}

func TestWithoutFilesIdleConnectionsMakeRoomAndNothingSpins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "site"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "site", "index.html"), []byte("held"), 0o644); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "HOST_TEST_APP=few files", "HOST_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(out)
	line := func() string {
		t.Helper()
		text, err := said.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(text)
	}
	address := line()
	figures := func(when string) (failures, express int) {
		t.Helper()
		fmt.Fprintln(in, when)
		if _, err := fmt.Sscan(line(), &failures, &express); err != nil {
			t.Fatal(err)
		}
		return failures, express
	}
	failures := func() int {
		t.Helper()
		n, _ := figures("now")
		return n
	}
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	// Idle ones give way, each time, those of the express lane that have asked first before others.
	var idle []net.Conn
	for i := range 150 {
		c := dial()
		defer c.Close()
		if err := say(c, "/"); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		idle = append(idle, c)
		figures("idle")
	}
	if n, express := figures("idle"); n == 0 || express != 150 {
		t.Fatalf("accepting failed %d times, %d were answered in the express lane: this test shows nothing", n, express)
	}
	open := len(idle)
	for open > 0 && say(idle[open-1], "/") == nil {
		open--
	}
	for i, c := range idle[:open] {
		if say(c, "/") == nil {
			t.Errorf("%d is open, %d is not", i, open-1)
		}
	}
	if open < 50 || open > 140 {
		t.Errorf("%d of 150 have made room", open)
	}
	// Busy ones do not: the others wait, and trying again is no loop that spins.
	var busy []net.Conn
	for range 150 {
		c := dial()
		defer c.Close()
		fmt.Fprint(c, holdRequest)
		busy = append(busy, c)
	}
	before := failures()
	until(t, "accepting fails", func() bool { return failures() > before+3 })
	begun := time.Now()
	before = failures()
	<-time.After(time.Second)
	n := failures() - before
	if most := int(300 * time.Since(begun).Seconds()); n > most { // a pause of 5 ms is the shortest there is
		t.Errorf("%d failed tries in %v", n, time.Since(begun))
	}
	for _, c := range busy {
		c.Close()
	}
	until(t, "there are files again, and one who asks is answered", func() bool {
		c := dial()
		defer c.Close()
		return say(c, "/") == nil
	})
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
