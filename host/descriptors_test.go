//go:build unix

package host

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() { testModes["few files"] = serveWithFewFiles }

// serveWithFewFiles is a host in a process that may have 80 files open. It
// prints its address, and for each line of input how often accepting has failed.
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
		Sites: []Site{{RedirectHTTPS: no(), AccessLog: no(), Target: Target{Root: filepath.Join(dir, "site")}}}})
	if err := h.Settle(ctx); err != nil {
		fmt.Println(err)
		return
	}
	h.front.router.Store(newRouter(Config{Sites: []Site{{RedirectHTTPS: no(), AccessLog: no(), Target: Target{App: "x"}}}}, handlerTargets{handler: asApp(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			<-r.Context().Done()
		}
		fmt.Fprint(w, "held")
	})}))
	fmt.Println(h.Status().Listeners[0].Address)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(h.Status().AcceptFailures)
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
	failures := func() int {
		t.Helper()
		fmt.Fprintln(in)
		n, err := strconv.Atoi(line())
		if err != nil {
			t.Fatal(err)
		}
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
	// Idle ones give way, each time.
	for i := range 150 {
		c := dial()
		defer c.Close()
		if err := say(c, "/"); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	if n := failures(); n == 0 {
		t.Fatal("the process had files enough: this test shows nothing")
	}
	// Busy ones do not: the others wait, and trying again is no loop that spins.
	var busy []net.Conn
	for range 150 {
		c := dial()
		defer c.Close()
		say(c, "/hold")
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
	c := dial()
	defer c.Close()
	if err := say(c, "/"); err != nil {
		t.Errorf("when there are files again: %v", err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
