//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestAPercentileIsTheNearestRank(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	for _, c := range []struct {
		of       []time.Duration
		perMille int
		want     time.Duration
	}{{hundred, 500, 50}, {hundred, 990, 99}, {hundred, 999, 100}, {hundred, 1000, 100}, {hundred[:1], 500, 1}, {hundred[:3], 500, 2}, {hundred[:2], 500, 1}} {
		if got := percentile(c.of, c.perMille); got != c.want {
			t.Errorf("%d of 1,000 of %d: %d, want %d", c.perMille, len(c.of), got, c.want)
		}
	}
}

func TestWhatWrkPrintsIsBelievedOnlyWhenAllWentWell(t *testing.T) {
	t.Parallel()
	j := job{connections: 2, wire: 200, size: 100}
	f, err := readWrk(j, "Running 2s test\nRequests/sec: 5\nfigures 1000 2000000 200100 300 4000 5000 0 0 0 0 0\n")
	want := figures{1000, 2 * time.Second, 300 * time.Microsecond, 4 * time.Millisecond, 5 * time.Millisecond}
	if err != nil || f != want {
		t.Errorf("%v, %v; want %v", f, err, want)
	}
	for out, says := range map[string]string{
		"Running":                "no figures",
		"figures 1000 2000000 x": "wrk's figures",
		"figures 1000 2000000 200000 1 1 1 1 0 0 0 0": "1 to connect",
		"figures 1000 2000000 200000 1 1 1 0 2 0 0 0": "2 to read",
		"figures 1000 2000000 200000 1 1 1 0 0 3 0 0": "3 to write",
		"figures 1000 2000000 200000 1 1 1 0 0 0 4 0": "4 by their status",
		"figures 1000 2000000 200000 1 1 1 0 0 0 0 5": "5 by time",
		"figures 0 2000000 0 0 0 0 0 0 0 0 0":         "no answer",
		"figures 1000 2000000 190000 1 1 1 0 0 0 0 0": "had 190000 bytes",
		"figures 1000 2000000 210000 1 1 1 0 0 0 0 0": "had 210000 bytes",
	} {
		if _, err := readWrk(j, out); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", out, err, says)
		}
	}
}

func TestWhatH2loadPrintsIsBelievedOnlyWhenAllWentWell(t *testing.T) {
	t.Parallel()
	const good = `Application protocol: h2
requests: 4 total, 24 started, 4 done, 4 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 5 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 1.0KB (1000) total, 100B (100) headers (space savings 39.66%), 400B (430) data
`
	const log = "17\t200\t3000\n18\t200\t1000\n19\t200\t2000\n20\t200\t4000\n"
	j := job{connections: 2, size: 100, length: 2 * time.Second}
	f, err := readH2load(j, good, strings.NewReader(log))
	want := figures{4, 2 * time.Second, 2 * time.Millisecond, 4 * time.Millisecond, 4 * time.Millisecond}
	if err != nil || f != want {
		t.Errorf("%v, %v; want %v", f, err, want)
	}
	for _, c := range []struct{ out, log, says string }{
		{"nothing", log, "no figures"},
		{strings.Replace(good, "h2\n", "http/1.1\n", 1), log, "does not speak HTTP/2"},
		{strings.Replace(good, "4 succeeded", "3 succeeded", 1), log, "failed"},
		{strings.Replace(good, "0 errored", "1 errored", 1), log, "failed"},
		{strings.Replace(good, "0 3xx", "1 3xx", 1), log, "failed"},
		{strings.Replace(good, "(430)", "(399)", 1), log, "399 bytes"},
		{strings.Replace(good, "(430)", "(99999)", 1), log, "99999 bytes"},
		{good, log[:len(log)-12], "its log has 3"},
		{good, strings.Replace(log, "200", "503", 1), "the line"},
		{good, "17\n", "the line"},
	} {
		if _, err := readH2load(j, c.out, strings.NewReader(c.log)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q, %q: %v, want %q", c.out, c.log, err, c.says)
		}
	}
}

func TestTheFirstAnswerMustBeRight(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			w.WriteHeader(http.StatusNotFound)
		case "/compressed":
			w.Header().Set("Content-Encoding", "gzip")
		}
		io.WriteString(w, "hello")
	}))
	t.Cleanup(server.Close)
	n, err := probe(job{url: server.URL + "/", size: 5})
	head := "HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 5\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
	if want := len(head) + 5; err != nil || n != want {
		t.Errorf("%d bytes, %v; want %d", n, err, want)
	}
	for path, says := range map[string]string{"/missing": "404", "/compressed": "compressed", "/longer": "5 bytes, not 4"} {
		size := 5
		if path == "/longer" {
			size = 4
		}
		if _, err := probe(job{url: server.URL + path, size: size}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", path, err, says)
		}
	}
}

func TestTheTimeOfAProcessAndOfThoseBelowIt(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", "exec 3<&0; cat <&3 & echo $!; wait")
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
	t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	var child int
	if _, err := fmt.Fscan(out, &child); err != nil {
		t.Fatal(err)
	}
	all, err := descend(nil, cmd.Process.Pid)
	if err != nil || fmt.Sprint(all) != fmt.Sprint(pids{cmd.Process.Pid, child}) {
		t.Fatalf("%v, %v", all, err)
	}
	if megabytes, err := resident(all); err != nil || megabytes <= 0 || megabytes > 100 {
		t.Errorf("%v MB, %v", megabytes, err)
	}
	before, err := cpu(pids{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); ; {
		now, err := cpu(pids{os.Getpid()})
		if err != nil {
			t.Fatal(err)
		}
		if now-before > 20*time.Millisecond {
			break
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("%v of CPU in 30 s of asking", now-before)
		}
	}
	if _, err := cpu(pids{1 << 23}); err == nil {
		t.Error("a process that is not has a time")
	}
}
