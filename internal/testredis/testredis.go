// Package testredis runs Debian's redis-server for tests, on a Unix socket in
// a folder of its own, with nothing of the machine's configuration.
package testredis

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is a redis-server that can be stopped and started again. It forgets
// everything when it stops.
type Server struct {
	// URL is where it listens, without a user or a password.
	URL string
	// Socket is the path in URL.
	Socket string

	dir    string
	args   []string
	cmd    *exec.Cmd
	output bytes.Buffer
}

// Start runs a server until the test ends; args are more arguments for it, such as "--requirepass", "x".
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "redis") // the path of a socket is at most 107 bytes long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &Server{dir: dir, args: args, Socket: filepath.Join(dir, "s")}
	s.URL = "unix://" + s.Socket
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// Start runs a server that was stopped, or another instead of one that was not.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.Stop()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is missing: apt-get install redis-server")
	}
	args := append([]string{"--port", "0", "--unixsocket", s.Socket, "--unixsocketperm", "700", "--dir", s.dir, "--save", "", "--appendonly", "no", "--databases", "4"}, s.args...)
	s.cmd = exec.Command(program, args...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("unix", s.Socket)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.Stop()
			t.Fatalf("redis-server does not listen: %v\n%s", err, s.output.String())
		}
		<-time.After(5 * time.Millisecond)
	}
}

// Stop kills the server.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.cmd = nil
	os.Remove(s.Socket) // it was killed: nobody else does
}

// Do sends a command to database 0 and returns the answer.
func (s *Server) Do(t testing.TB, args ...any) any {
	t.Helper()
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: s.Socket})
	defer client.Close()
	answer, err := client.Do(context.Background(), args...).Result()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return answer
}

// Keys are the keys of database 0 that match a pattern.
func (s *Server) Keys(t testing.TB, pattern string) (keys []string) {
	t.Helper()
	for _, key := range s.Do(t, "KEYS", pattern).([]any) {
		keys = append(keys, key.(string))
	}
	return keys
}
