//go:build unix

package node

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roost/internal/testca"
	"roost/internal/testport"
)

const server = `
const http = require('node:http')
const s = http.createServer((req, res) => res.end(req.socket.remoteAddress + ' ' + s.address().port))
`

func TestAnUnmodifiedServerAnswersOnItsPortAndOnThePrivateSocket(t *testing.T) {
	for name, text := range map[string]string{
		"app.js": server + "s.listen(+process.env.P)",
		"app.cjs": server + `
			const dns = require('node:dns')
			dns.lookup = (name, answer) => setImmediate(answer, null, name === 'box.example' ? '127.0.0.1' : 'wrong', 4)
			s.listen({ port: process.env.P, host: 'box.example' }, () => {
			if (s.address().port !== +process.env.P) throw new Error('address')
		})`,
		"app.mjs": `import { createServer } from 'node:http'
			const s = createServer((req, res) => res.end(req.socket.remoteAddress + ' ' + s.address().port))
			s.listen(process.env.P, '127.0.0.1')
			if (!s.listening || s.address().port !== +process.env.P) throw new Error('not as Node does')`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, ports := port(t)
			in := start(t, name, text, 0, ports, fmt.Sprint("P=", n))
			l := wait(t, in, "listening", in.listening)
			if !l.Lane || l.Port != n {
				t.Errorf("listening = %+v, want the private socket and port %d", l, n)
			}
			want := fmt.Sprint("127.0.0.1 ", n)
			for range 3 {
				if got := in.get("unix", in.lane); got != want {
					t.Errorf("private socket answers %q, want %q", got, want)
				}
				if got := in.get("tcp", fmt.Sprint("127.0.0.1:", n)); got != want {
					t.Errorf("own port answers %q, want %q", got, want)
				}
			}
		})
	}
}

func TestTheDeclaredPortIsTheMainServer(t *testing.T) {
	n, ports := port(t)
	in := start(t, "app.js", `
		const http = require('node:http')
		http.createServer((req, res) => res.end('metrics')).listen(0, () => {
			http.createServer((req, res) => res.end('main')).listen(+process.env.P)
		})`, n, ports, fmt.Sprint("P=", n))
	wait(t, in, "word of the other server", in.elsewhere)
	wait(t, in, "listening", in.listening)
	if got := in.get("unix", in.lane); got != "main" {
		t.Errorf("private socket leads to %q, want the declared port's server", got)
	}
}

func TestAServerOnAnyFreePortHasThePrivateSocket(t *testing.T) {
	in := start(t, "app.js", server+"s.listen()", 0, noPorts)
	l := wait(t, in, "listening", in.listening)
	if got, want := in.get("unix", in.lane), fmt.Sprint("127.0.0.1 ", l.Port); got != want {
		t.Errorf("private socket answers %q, want %q", got, want)
	}
}

func TestAnHTTPSServerTakesPlainHTTPFromThePrivateSocket(t *testing.T) {
	cert, key := testca.New(t, "Root").Site(nil, "localhost")
	for name, create := range map[string]string{
		"https": "require('node:https').createServer(o, f)",
		"http2": "require('node:http2').createSecureServer({ ...o, allowHTTP1: true }, f)",
	} {
		t.Run(name, func(t *testing.T) {
			in := start(t, "app.js", `
				const o = { key: process.env.KEY, cert: process.env.CERT }
				const f = (req, res) => res.end('secret ' + req.socket.remoteAddress)
				const s = `+create+`
				s.listen(0)
				process.on('message', () => s.close(() => process.exit()))`, 0, noPorts, "CERT="+string(cert), "KEY="+string(key))
			wait(t, in, "listening", in.listening)
			if got := in.get("unix", in.lane); got != "secret 127.0.0.1" {
				t.Errorf("private socket answers %q", got)
			}
			in.Send("shutdown") // close counts the private connections, or it would never call back
			wait(t, in, "exit", in.exited)
		})
	}
}

func TestAServerThatCannotSpeakPlainHTTPHasNoPrivateSocket(t *testing.T) {
	in := start(t, "app.js", `require('node:http2').createServer(() => {}).listen(0)`, 0, noPorts)
	if l := wait(t, in, "listening", in.listening); l.Lane {
		t.Error("an HTTP/2 server was put on the private socket")
	}
}

func TestATakenPortFailsAsInNode(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	n := taken.Addr().(*net.TCPAddr).Port
	text := fmt.Sprintf(`
		const s = require('node:net').createServer()
		s.on('error', (e) => { console.log(JSON.stringify({ ...e, message: e.message })); process.exit(7) })
		s.listen({ port: %d, host: '127.0.0.1' })`, n)
	in := start(t, "app.js", text, 0, func(Question) (int, string) { return -1, "EADDRINUSE" })
	wait(t, in, "exit", in.exited)
	plain, _ := exec.Command("node", "-e", text).Output()
	if got := in.out.String(); got != string(plain) || !strings.Contains(got, "EADDRINUSE") {
		t.Errorf("error under the hook %s, without it %s", got, plain)
	}
}

func TestNoTraceIsLeftForChildrenAndWorkers(t *testing.T) {
	in := start(t, "app.js", `
		const { Worker } = require('node:worker_threads')
		const { execFileSync } = require('node:child_process')
		const print = "console.log(JSON.stringify([process.env.NODE_OPTIONS, process.env.ROOST_NODE, typeof process.send, require('net').Server.prototype.listen.length]))"
		console.log(execFileSync(process.execPath, ['-e', print]).toString().trim())
		new Worker(print, { eval: true })
		setTimeout(() => require('node:http').createServer().listen(0), 10)`, 0, noPorts, "NODE_OPTIONS=--no-deprecation")
	wait(t, in, "listening", in.listening)
	want := `["--no-deprecation",null,"undefined",0]`
	in.says(want + "\n" + want)
}

func TestAPathWithSpacesAndQuotes(t *testing.T) {
	dir := filepath.Join(shortDir(t), `a "b" \c`)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path, err := WriteHook(dir)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "-e", "console.log(process.env.NODE_OPTIONS)")
	cmd.Env = Hosting{Hook: path}.Environ(append(os.Environ(), "NODE_OPTIONS=--no-deprecation"))
	cmd.Env = append(cmd.Env, "NODE_CHANNEL_FD=")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "--no-deprecation" {
		t.Errorf("node said %q, %v", out, err)
	}
}

func TestAProgramWithItsOwnClusterIsReached(t *testing.T) {
	n, ports := port(t)
	in := start(t, "app.js", `
		const cluster = require('node:cluster')
		if (cluster.isPrimary) { cluster.fork(); cluster.fork() }
		else require('node:http').createServer((req, res) => res.end('worker')).listen(+process.env.P)`, 0, ports, fmt.Sprint("P=", n))
	wait(t, in, "listening", in.listening)
	for range 4 {
		if got := in.get("unix", in.lane); got != "worker" {
			t.Errorf("private socket answers %q", got)
		}
		if got := in.get("tcp", fmt.Sprint("127.0.0.1:", n)); got != "worker" {
			t.Errorf("own port answers %q", got)
		}
	}
}

func TestAClosedServerLeavesThePrivateSocketAndMayComeBack(t *testing.T) {
	n, ports := port(t)
	in := start(t, "app.js", server+`
		s.listen(+process.env.P)
		process.on('message', (m) => m === 'close' ? s.close(() => process.send('closed')) : s.listen(+process.env.P))`, 0, ports, fmt.Sprint("P=", n))
	wait(t, in, "listening", in.listening)
	in.get("unix", in.lane)
	in.Send("close")
	wait(t, in, "unlistening", in.unlistening)
	wait(t, in, "closed", in.closed)
	if got := wait(t, in, "message", in.messages); got != `"closed"` {
		t.Errorf("message %s", got)
	}
	if body, err := get("unix", in.lane, "/"); err == nil {
		t.Errorf("a closed server answers %q", body)
	}
	in.Send("again")
	wait(t, in, "listening", in.listening)
	in.get("unix", in.lane)
	in.get("tcp", fmt.Sprint("127.0.0.1:", n))
}

func TestRetiringEndsIdleConnectionsAndWaitsForBusyOnes(t *testing.T) {
	n, ports := port(t)
	in := start(t, "app.js", `
		const s = require('node:http').createServer((req, res) => {
			if (req.url !== '/slow') return res.end('quick')
			process.once('message', () => res.end('slow'))
			process.send('begun')
		})
		s.listen(+process.env.P)
		process.on('SIGINT', () => { console.log(s.listening, s.address().port); s.close((e) => console.log('closed', e)) })`,
		0, ports, fmt.Sprint("P=", n))
	wait(t, in, "listening", in.listening)
	address := fmt.Sprint("127.0.0.1:", n)
	idle, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	fmt.Fprintf(idle, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	idle.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := idle.Read(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	slow := make(chan string, 1)
	go func() {
		body, err := get("tcp", address, "/slow")
		slow <- fmt.Sprint(body, err)
	}()
	wait(t, in, "request", in.messages)
	in.Retire()
	if rest, err := io.ReadAll(idle); err != nil {
		t.Errorf("the idle connection ended with %v after %q", err, rest)
	}
	select {
	case <-in.drained:
		t.Error("drained with a request in flight")
	default:
	}
	in.Send("answer")
	wait(t, in, "drained", in.drained)
	if got := wait(t, in, "answer", slow); got != "slow<nil>" {
		t.Errorf("the request in flight got %q", got)
	}
	in.cmd.Process.Signal(os.Interrupt)
	in.Leave()
	wait(t, in, "exit", in.exited)
	if got, want := in.out.String(), fmt.Sprintf("true %d\nclosed undefined\n", n); got != want {
		t.Errorf("the program saw %q, want %q", got, want)
	}
}

func TestAProgramThatIsDoneEnds(t *testing.T) {
	in := start(t, "app.mjs", "setTimeout(() => console.log('done'), 10)", 0, noPorts)
	wait(t, in, "exit", in.exited)
	if got := in.out.String(); got != "done\n" {
		t.Errorf("it said %q", got)
	}
}

func TestADaemonThatGoesAwayBeforeItsAnswerIsNotWaitedFor(t *testing.T) {
	in := start(t, "app.js", server+"s.listen({ port: process.env.P, host: '127.0.0.1' }, () => console.log('own'))", 0,
		func(Question) (int, string) { return -1, "silence" }, fmt.Sprint("P=", testport.Free(t)))
	wait(t, in, "question", in.messages)
	in.Close()
	in.says("own")
}

func TestWithoutTheDaemonAProgramListensByItself(t *testing.T) {
	n := testport.Free(t)
	in := start(t, "app.js", server+`
		process.on('disconnect', () => s.listen(+process.env.P, '127.0.0.1', () => console.log('own')))
		setTimeout(() => {}, 1e6)`, 0, noPorts, fmt.Sprint("P=", n))
	wait(t, in, "hello", in.hello)
	in.Close()
	in.says("own")
	in.get("tcp", fmt.Sprint("127.0.0.1:", n))
}
