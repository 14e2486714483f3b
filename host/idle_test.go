//go:build unix

package host

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"
	"time"
)

func init() { testModes["idle clients"] = beIdle }

const at = 4 // clients that ask at a time

// beIdle is many clients in a process of their own: each has a connection to
// HOST_TEST_TO on which it asks once. It says when all have been answered, and
// keeps the connections as long as its input lasts.
func beIdle() {
	to := os.Getenv("HOST_TEST_TO")
	connections, err := strconv.Atoi(os.Getenv("HOST_TEST_CONNECTIONS"))
	if err != nil {
		fmt.Println(err)
		return
	}
	var asking sync.WaitGroup
	var keep [at][]net.Conn
	for i := range at {
		asking.Go(func() {
			for len(keep[i]) < connections/at {
				c, err := net.Dial("tcp", to)
				if err == nil {
					_ = c.(*net.TCPConn).SetLinger(0) // leaves no port behind that waits
					err = askIdle(c)
				}
				if err != nil {
					fmt.Println(err)
					return
				}
				keep[i] = append(keep[i], c)
			}
		})
	}
	asking.Wait()
	fmt.Println("asked")
	_, _ = io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(&keep)
}

// askIdle asks for a file and reads the whole answer.
func askIdle(c net.Conn) error {
	if _, err := io.WriteString(c, "GET /a.txt HTTP/1.1\r\nHost: localhost\r\nUser-Agent: somebody\r\nAccept: */*\r\n\r\n"); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	for n := 0; ; {
		k, err := c.Read(answer[n:])
		if n += k; n >= 5 && string(answer[n-5:n]) == "hello" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%q: %w", answer[:n], err)
		}
	}
}

// TestTenThousandIdleConnectionsHoldLittle keeps connections on which something was
// asked, over plain HTTP: what 10,000 hold is to be less than 100 MB, and no
// buffer of 4 KiB.
func TestTenThousandIdleConnectionsHoldLittle(t *testing.T) {
	connections := min(10_000, (openFiles()-500)/at*at)
	const resident = 8_500 // bytes for each
	most := int64(6_500)   // of them heap and stack
	if raced {
		connections, most = min(connections, 1000), 9_000
	}
	if connections < 400 {
		t.Fatalf("%d open files are allowed; raise the limit: ulimit -Hn 20000, as root", openFiles())
	}
	b := newBox(t)
	root := b.folder(map[string]string{"a.txt": "hello"})
	b.settled(Config{
		Host:  Listen{HTTPS: "off", MaxConnections: connections + 100, MaxConnectionsPerClient: connections + 100, IdleTimeout: milliseconds(24000)},
		Sites: []Site{{RedirectHTTPS: no(), Target: Target{Root: root}}},
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	clients := func(n int) (leave func()) {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), "HOST_TEST_APP=idle clients", "HOST_TEST_TO="+b.address("http"), fmt.Sprint("HOST_TEST_CONNECTIONS=", n))
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
		if said, err := bufio.NewReader(out).ReadString('\n'); err != nil || said != "asked\n" {
			t.Fatalf("the clients say %q, %v", said, err)
		}
		until(t, "all wait", func() bool { return b.Status().Connections["http"] == n })
		return func() {
			in.Close()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			until(t, "all are gone", func() bool { return b.Status().Connections["http"] == 0 })
		}
	}
	settled := func() memory {
		for range 3 { // stacks shrink by half each time
			runtime.GC()
		}
		debug.FreeOSMemory()
		return memoryNow()
	}
	clients(4 * at)()
	before := settled()
	leave := clients(connections)
	var heap, rss int64
	for begun := time.Now(); ; { // a second later they rest
		after := settled()
		heap, rss = (after.heap-before.heap)/int64(connections), (after.resident-before.resident)/int64(connections)
		if heap <= most || time.Since(begun) > 15*time.Second {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	if n := b.Status().Connections["http"]; n != connections {
		t.Errorf("%d of %d connections are left", n, connections)
	}
	leave()
	t.Logf("each of %d connections holds %d bytes of heap and stack, %d resident", connections, heap, rss)
	if heap > most || rss > resident && !raced { // the detector has memory of its own
		t.Errorf("want at most %d, and %d", most, resident)
	}
}
