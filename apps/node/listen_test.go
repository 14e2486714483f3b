//go:build unix

package node

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"roost/internal/testca"
)

// several gives the ports of any of those who give.
func several(of ...give) give {
	return func(q Question) (int, string) {
		for _, g := range of {
			if fd, code := g(q); code == "" {
				return fd, ""
			}
		}
		return -1, "EADDRINUSE"
	}
}

func TestEveryWayToListenInOneProgram(t *testing.T) {
	plain, plainPort := port(t)
	secure, securePort := port(t)
	http, httpPort := port(t)
	h2, h2Port := port(t)
	cert, key := testca.New(t, "Root").Site(nil, "localhost")
	in := start(t, "app.js", `
		const net = require('node:net'), tls = require('node:tls'), http = require('node:http'), http2 = require('node:http2')
		const dgram = require('node:dgram'), path = require('node:path'), assert = require('node:assert')
		const e = process.env
		const listen = (server, ...to) => new Promise((resolve, reject) => server.on('error', reject).listen(...to, () => resolve(server)))
		;(async () => {
			await listen(net.createServer((c) => c.end('plain')), +e.PLAIN)
			await listen(tls.createServer({ key: e.KEY, cert: e.CERT }, (c) => c.end('secure')), { port: +e.SECURE, host: '127.0.0.1' })
			const first = await listen(http.createServer((q, s) => s.end('http')), +e.HTTP)
			await listen(http2.createServer((q, s) => s.end('http2')), +e.H2)
			await listen(http.createServer((q, s) => s.end('path')), path.join(__dirname, 'path.sock'))
			const alone = await listen(http.createServer((q, s) => s.end('alone')), { port: 0, host: '127.0.0.1', exclusive: true })
			const twice = await listen(net.createServer(), 0)
			const udp = dgram.createSocket('udp4').bind(0, '127.0.0.1')
			await new Promise((resolve) => udp.once('listening', resolve))
			assert(udp.address().port > 0)
			assert.throws(() => first.listen(+e.HTTP), { code: 'ERR_SERVER_ALREADY_LISTEN' })
			assert.throws(() => http.createServer().listen(70000), { code: 'ERR_SOCKET_BAD_PORT' })
			await assert.rejects(listen(http.createServer(), { port: alone.address().port, host: '127.0.0.1', exclusive: true }), { code: 'EADDRINUSE' })
			for (let i = 0; i < 3; i++) {
				await new Promise((resolve) => twice.close(resolve))
				await listen(twice, 0)
			}
			console.log('all listen')
		})()`, 0, several(plainPort, securePort, httpPort, h2Port), "CERT="+string(cert), "KEY="+string(key),
		fmt.Sprint("PLAIN=", plain), fmt.Sprint("SECURE=", secure), fmt.Sprint("HTTP=", http), fmt.Sprint("H2=", h2))
	in.says("all listen")
	if got := in.get("unix", in.lane); got != "http" {
		t.Errorf("the private socket answers %q, want the first HTTP server", got)
	}
	if got := in.get("tcp", fmt.Sprint("127.0.0.1:", http)); got != "http" {
		t.Errorf("HTTP server answers %q", got)
	}
	if got := in.get("unix", strings.TrimSuffix(in.lane, "lane")+"path.sock"); got != "path" {
		t.Errorf("Unix socket answers %q", got)
	}
	c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", plain))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, _ := io.ReadAll(c); string(got) != "plain" {
		t.Errorf("net.Server says %q", got)
	}
	s, err := tls.Dial("tcp", fmt.Sprint("127.0.0.1:", secure), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, _ := io.ReadAll(s); string(got) != "secure" {
		t.Errorf("tls.Server says %q", got)
	}
	p, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", h2))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	fmt.Fprint(p, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	frame := make([]byte, 9)
	if _, err := io.ReadFull(p, frame); err != nil || frame[3] != 4 {
		t.Errorf("http2 server says %x, %v, want SETTINGS", frame, err)
	}
}

func TestErrorsOfTheDaemonAreThoseOfNode(t *testing.T) {
	for code, want := range map[string]string{
		"EACCES": "EACCES -13 listen 127.0.0.1 81 listen EACCES: permission denied 127.0.0.1:81",
	} {
		in := start(t, "app.js", `
			require('node:net').createServer().on('error', (e) => {
				console.log(e.code, e.errno, e.syscall, e.address, e.port, e.message)
			}).listen(81, '127.0.0.1')`, 0, func(Question) (int, string) { return -1, code })
		wait(t, in, "exit", in.exited)
		if got := strings.TrimSpace(in.out.String()); got != want {
			t.Errorf("error %q, want %q", got, want)
		}
	}
}
