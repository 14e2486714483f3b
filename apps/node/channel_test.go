//go:build unix

package node

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMessagesPassBothWays(t *testing.T) {
	in := start(t, "app.mjs", `
		process.on('message', (m) => process.send({ echo: m }))
		process.send('ready')
		process.send({ cmd: 5, type: 'axm:monitor' })`, 0, noPorts)
	wait(t, in, "ready", in.ready)
	if got := wait(t, in, "message", in.messages); got != `{"cmd":5,"type":"axm:monitor"}` {
		t.Errorf("message %s", got)
	}
	for _, v := range []any{"shutdown", 7, map[string]string{"act": "ö\n"}} {
		if err := in.Send(v); err != nil {
			t.Fatal(err)
		}
		sent, _ := json.Marshal(v)
		if got, want := wait(t, in, "echo", in.messages), fmt.Sprintf(`{"echo":%s}`, sent); got != want {
			t.Errorf("echo %s, want %s", got, want)
		}
	}
}

func TestMessagesBehindASocketKeepTheirOrder(t *testing.T) {
	n, ports := port(t)
	in := start(t, "app.js", `
		const net = require('node:net')
		process.on('message', (m) => { if (m === 199) process.send('all ' + seen.join() ); else seen.push(m) })
		const seen = []
		for (let i = 0; i < 5; i++) {
			const s = net.createServer()
			s.listen(+process.env.P, '127.0.0.1', () => { s.close(); if (i === 4) process.send('go') })
		}`, 0, ports, fmt.Sprint("P=", n))
	if got := wait(t, in, "go", in.messages); got != `"go"` {
		t.Fatal(got)
	}
	var want []string
	for i := range 200 {
		if err := in.Send(i); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(i))
	}
	if got := wait(t, in, "all", in.messages); got != `"all `+strings.Join(want[:199], ",")+`"` {
		t.Errorf("messages arrived as %s", got)
	}
}

func TestASocketThatAProgramSendsIsAcknowledged(t *testing.T) {
	in := start(t, "app.js", `
		const s = require('node:net').createServer().listen(0, '127.0.0.1', () => {
			process.send('here', s)
			process.send('after')
		})`, 0, noPorts)
	for _, want := range []string{`"here"`, `"after"`} {
		if got := wait(t, in, "message", in.messages); got != want {
			t.Errorf("message %s, want %s", got, want)
		}
	}
}

func TestWhatIsNotAMessageIsSaidOnceAndDropped(t *testing.T) {
	broken := make(chan error, 10)
	message := make(chan string, 10)
	c, child, err := Open(Events{
		Broken:  func(err error) { broken <- err },
		Message: func(raw json.RawMessage) { message <- string(raw) },
		Ready:   func() { message <- "ready" },
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { c.Serve(); close(done) }()
	fmt.Fprintf(child, "\x02{}\n\n{nonsense\n%s\n\"ready\"\n{\"a\":1}\n", strings.Repeat("x", maxLine+10))
	for _, want := range []string{"ready", `{"a":1}`} {
		select {
		case got := <-message:
			if got != want {
				t.Errorf("message %s, want %s", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no message")
		}
	}
	child.Close()
	<-done
	if len(broken) != 1 {
		t.Errorf("said %d times, want once", len(broken))
	}
	if err := c.Send("late"); err != ErrClosed {
		t.Errorf("Send = %v, want ErrClosed", err)
	}
}

func TestAProgramThatDoesNotReadNeverBlocksTheSender(t *testing.T) {
	c, child, err := Open(Events{})
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	done := make(chan struct{})
	go func() { c.Serve(); close(done) }()
	text := strings.Repeat("x", 10_000)
	for range 10 * maxQueue {
		if err = c.Send(text); err != nil {
			break
		}
	}
	if err != ErrFull {
		t.Errorf("Send = %v, want ErrFull", err)
	}
	c.Close()
	<-done
}

func TestAnUnacknowledgedSocketIsClosedWithTheChannel(t *testing.T) {
	c, child, err := Open(Events{})
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	done := make(chan struct{})
	go func() { c.Serve(); close(done) }()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fd := dup(t, l.(*net.TCPListener))
	address := l.Addr().String()
	l.Close()
	if err := c.Give(Question{N: 1}, fd); err != nil {
		t.Fatal(err)
	}
	if err := c.Send("behind"); err != nil {
		t.Fatal(err)
	}
	buf, oob := make([]byte, 1000), make([]byte, 100)
	n, oobn, _, _, err := unix.Recvmsg(int(child.Fd()), buf, oob, 0)
	if err != nil || oobn == 0 || strings.Contains(string(buf[:n]), "behind") {
		t.Errorf("received %q with %d bytes of rights, %v; want the socket alone", buf[:n], oobn, err)
	}
	closeRights(oob[:oobn])
	c.Close()
	<-done
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("the listening socket is still open")
	}
}

func TestABlockedEventLoopOwesAnAnswerAndTellsItsDelaysAfterwards(t *testing.T) {
	in := start(t, "app.js", `
		process.on('message', (ms) => { const end = Date.now() + ms; while (Date.now() < end); })
		setTimeout(() => {}, 1e6)`, 0, noPorts)
	wait(t, in, "hello", in.hello)
	pings := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !ok(); {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not in time; lag %+v", what, in.Lag())
			}
			<-time.After(5 * time.Millisecond)
		}
	}
	pings("the first delays", func() bool { return in.Ping() && in.Lag().P99 > 0 })
	in.Send(500)
	pings("a silence", func() bool { return !in.Ping() && in.Lag().Last > 150*time.Millisecond })
	pings("its end", func() bool { return in.Ping() && in.Lag().P99 > 100*time.Millisecond })
	if lag := in.Lag(); lag.P50 > 100*time.Millisecond {
		t.Errorf("half of the delays are said to be %v or longer; one was long", lag.P50)
	}
}

func TestAProgramThatLeavesTheChannelIsNotBlamed(t *testing.T) {
	in := start(t, "app.js", `process.on('message', () => process.disconnect()); setTimeout(() => {}, 1e6)`, 0, noPorts)
	wait(t, in, "hello", in.hello)
	in.Send("go")
	wait(t, in, "the end of the channel", in.done)
	for range 2 {
		if !in.Ping() {
			t.Error("a program that has called process.disconnect owes an answer")
		}
	}
}

func TestWhatAnInstanceSaysOfItsDelaysIsBounded(t *testing.T) {
	for ms, want := range map[float64]time.Duration{-1: 0, 1.5: 1500 * time.Microsecond, 1e300: maxDelay} {
		if got := delay(ms); got != want {
			t.Errorf("delay(%v) = %v, want %v", ms, got, want)
		}
	}
}

func TestTheHookIsWrittenAgainWhenItWasChanged(t *testing.T) {
	dir := t.TempDir()
	path, err := WriteHook(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err := WriteHook(dir); err != nil || again != path {
		t.Fatalf("WriteHook = %s, %v", again, err)
	}
	if got, _ := os.ReadFile(path); string(got) != string(hook) {
		t.Error("the file is not as embedded")
	}
}

func FuzzLine(f *testing.F) {
	for _, line := range []string{`"ready"`, `{"cmd":"NODE_ROOST","act":"port","n":1,"port":80}`, `{"cmd":"NODE_HANDLE","msg":{}}`, "\x02", "[", "\"a"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		c := &Channel{more: make(chan struct{}, 1)}
		c.handle(line)
		for _, o := range c.queue {
			if o.fd >= 0 {
				t.Errorf("%q made us send a socket", line)
			}
		}
	})
}
