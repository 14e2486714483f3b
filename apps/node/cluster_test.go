//go:build unix

package node

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAProgramWrittenForAClusterTakesItsWorkersPart(t *testing.T) {
	for name, load := range map[string]string{
		"app.js":  `const cluster = require('node:cluster'), http = require('node:http'), assert = require('node:assert');`,
		"app.mjs": `import cluster, { isWorker, isPrimary, isMaster, worker } from 'node:cluster'; import http from 'node:http'; import assert from 'node:assert'; assert(isWorker && !isPrimary && !isMaster && worker.id === 3);`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, ports := port(t)
			in := worker(t, name, load+`
				if (cluster.isMaster) { cluster.fork(); process.exit(9) }
				assert(cluster.isWorker && !cluster.isPrimary && cluster.worker.id === 3)
				assert(cluster.worker.process === process && cluster.worker.isConnected() && !cluster.worker.isDead())
				assert.throws(() => cluster.fork(), TypeError)
				assert(process.env.NODE_UNIQUE_ID === undefined && process.env.ROOST_NODE === undefined)
				process.on('message', (m) => cluster.worker.send({ echo: m }))
				http.createServer((req, res) => res.end('worker ' + cluster.worker.id)).listen(+process.env.P)`, ports, fmt.Sprint("P=", n))
			if l := wait(t, in, "listening", in.listening); !l.Lane || l.Port != n {
				t.Errorf("listening = %+v", l)
			}
			for range 3 {
				if got := in.get("unix", in.lane); got != "worker 3" {
					t.Errorf("private socket answers %q", got)
				}
				if got := in.get("tcp", fmt.Sprint("127.0.0.1:", n)); got != "worker 3" {
					t.Errorf("own port answers %q", got)
				}
			}
			in.Send("hi")
			if got := wait(t, in, "echo", in.messages); got != `{"echo":"hi"}` {
				t.Errorf("message %s", got)
			}
		})
	}
}

func TestAWorkerListensElsewhereByItself(t *testing.T) {
	in := worker(t, "app.js", `
		const http = require('node:http'), net = require('node:net'), path = require('node:path')
		const say = (what) => (req, res) => res.end(what)
		const sock = path.join(__dirname, 'own.sock')
		http.createServer(say('any')).listen(0, '127.0.0.1', function () {
			console.log('port', this.address().port)
			http.createServer(say('path')).listen(sock, () => {
				http.createServer(say('alone')).listen({ port: 0, host: '127.0.0.1', exclusive: true }, function () {
					console.log('alone', this.address().port)
					net.createServer().on('error', (e) => console.log(e.code)).listen(sock)
				})
			})
		})`, noPorts)
	l := wait(t, in, "listening", in.listening)
	in.says("EADDRINUSE")
	if got := in.get("tcp", fmt.Sprint("127.0.0.1:", l.Port)); got != "any" {
		t.Errorf("port 0 answers %q", got)
	}
	if got := in.get("unix", strings.TrimSuffix(in.lane, "lane")+"own.sock"); got != "path" {
		t.Errorf("its own Unix socket answers %q", got)
	}
	if got := in.get("unix", in.lane); got != "any" {
		t.Errorf("the private socket answers %q, want the first server's", got)
	}
}

func TestAWorkerThatDisconnectsAnswersWhatItHasBegun(t *testing.T) {
	n, ports := port(t)
	in := worker(t, "app.js", `
		const cluster = require('node:cluster')
		require('node:http').createServer((req, res) => {
			res.setHeader('connection', 'close')
			process.once('message', () => { cluster.worker.disconnect(); setTimeout(() => res.end('done'), 50) })
			process.send('begun')
		}).listen(+process.env.P)
		process.on('disconnect', () => console.log('disconnected', cluster.worker.exitedAfterDisconnect))`, ports, fmt.Sprint("P=", n))
	wait(t, in, "listening", in.listening)
	answer := make(chan string, 1)
	go func() {
		body, err := get("tcp", fmt.Sprint("127.0.0.1:", n), "/")
		answer <- fmt.Sprint(body, err)
	}()
	wait(t, in, "request", in.messages)
	in.Send("now")
	if got := wait(t, in, "answer", answer); got != "done<nil>" {
		t.Errorf("the request in flight got %s", got)
	}
	wait(t, in, "unlistening", in.unlistening)
	wait(t, in, "exit", in.exited)
	in.says("disconnected true")
	if code := in.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

func TestAWorkerThatKillsItselfEnds(t *testing.T) {
	in := worker(t, "app.js", `require('node:http').createServer().listen(0, () => require('node:cluster').worker.kill())`, noPorts)
	wait(t, in, "exit", in.exited)
	if code := in.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

func TestAProgramThatALauncherStartsHasThePrivateSocketOnceItListens(t *testing.T) {
	n, ports := port(t)
	// as npm does: a shell that runs a build, a setter of variables, and the server
	in := run(t, Hosting{Claim: Inherited + 2}, []string{"node"}, "npm-cli.js", `
		const { writeFileSync } = require('node:fs'), path = require('node:path')
		writeFileSync(path.join(__dirname, 'cross-env.js'), "require('node:child_process').spawn(process.execPath, [__dirname + '/server.js'], { stdio: 'inherit' })")
		writeFileSync(path.join(__dirname, 'server.js'), `+"`"+`
			const http = require('node:http'), { execFileSync } = require('node:child_process')
			if (process.send || process.env.ROOST_NODE || process.env.NODE_OPTIONS) throw new Error('not as without a launcher')
			console.log('child: ' + execFileSync(process.execPath, ['-e', 'console.log(process.env.NODE_OPTIONS)']))
			http.createServer((req, res) => res.end('launched')).listen(+process.env.P)
			process.on('message', (m) => process.send({ echo: m }))`+"`"+`)
		if (process.send) throw new Error('a launcher has the channel')
		require('node:child_process').spawn('sh', ['-c', 'node -e "setTimeout(() => {}, 5)" && node ' + __dirname + '/cross-env.js'], { stdio: 'inherit' })`,
		ports, fmt.Sprint("P=", n))
	wait(t, in, "hello", in.hello)
	if l := wait(t, in, "listening", in.listening); !l.Lane || l.Port != n {
		t.Errorf("listening = %+v", l)
	}
	in.says("child: undefined")
	if got := in.get("unix", in.lane); got != "launched" {
		t.Errorf("private socket answers %q", got)
	}
	if got := in.get("tcp", fmt.Sprint("127.0.0.1:", n)); got != "launched" {
		t.Errorf("own port answers %q", got)
	}
	in.Send("hi")
	if got := wait(t, in, "echo", in.messages); got != `{"echo":"hi"}` {
		t.Errorf("message %s", got)
	}
}

func TestAWorkerTakesAUDPPortFromTheDaemon(t *testing.T) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n := c.LocalAddr().(*net.UDPAddr).Port
	in := worker(t, "app.js", `
		const { createSocket } = require('node:dgram')
		const s = createSocket('udp4', (m, from) => s.send('heard ' + m, from.port, from.address, () => s.close()))
		const bound = () => {
			const { address, port } = s.address()
			const taken = createSocket('udp4').on('error', (e) => { taken.close(); console.log(address, port === +process.env.P, e.message) }).bind(1)
		}
		s.bind({ port: +process.env.P, address: '127.0.0.1' }, bound)`, func(q Question) (int, string) {
		if !q.UDP || q.Port != n || q.Host != "127.0.0.1" {
			return -1, "EADDRINUSE"
		}
		return dup(t, c.(syscall.Conn)), ""
	}, fmt.Sprint("P=", n))
	in.says("127.0.0.1 true bind EADDRINUSE: address already in use 0.0.0.0:1")
	client, err := net.Dial("udp4", c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	fmt.Fprint(client, "you")
	client.SetDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 100)
	if n, err := client.Read(buf); err != nil || string(buf[:n]) != "heard you" {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if got := wait(t, in, "closed", in.closed); got == 0 {
		t.Error("the socket is not given back")
	}
}

func TestOfTheServersThatALauncherStartsTheFirstHasThePrivateSocketUntilItEnds(t *testing.T) {
	n, ports := port(t)
	// the launcher starts one server after the other, the second beside the first
	in := run(t, Hosting{Claim: Inherited + 2}, []string{"node"}, "npm-cli.js", `
		const { writeFileSync } = require('node:fs'), { spawn } = require('node:child_process')
		writeFileSync(__dirname + '/server.js', `+"`"+`
			const s = require('node:http').createServer((req, res) => res.end(process.argv[2]))
			s.listen(+process.argv[3], () => console.log('up'))`+"`"+`)
		const start = (name, port, up) => {
			const child = spawn(process.execPath, [__dirname + '/server.js', name, port], { stdio: ['ignore', 'pipe', 'inherit'] })
			child.stdout.once('data', () => up(child))
		}
		start('first', process.env.P, (first) => start('second', 0, (second) => {
			process.on('SIGUSR1', () => first.kill('SIGKILL'))
			first.on('exit', () => start('third', process.env.P, () => second.kill()))
			console.log('both')
		}))`, ports, fmt.Sprint("P=", n))
	wait(t, in, "listening", in.listening)
	in.says("both")
	if got := in.get("unix", in.lane); got != "first" {
		t.Errorf("private socket answers %q", got)
	}
	in.cmd.Process.Signal(syscall.SIGUSR1)
	wait(t, in, "listening of the third", in.listening)
	if got := in.get("unix", in.lane); got != "third" {
		t.Errorf("private socket answers %q after the first has ended", got)
	}
}
