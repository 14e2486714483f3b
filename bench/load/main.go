//go:build linux

// Command load asks a URL again and again by wrk, or by h2load over HTTP/2, and prints what one request cost the processes of the server, in one
// line with tabs between:
//
//	load [-c 64] [-for 2s] [-h2] [-close] -size 1024 -pid 12,34 -tree 56 https://127.0.0.1:8443/1k.bin
//	5.91	168233	0.34	0.61	1.22	16.1
//
// microseconds of CPU for a request, requests a second, milliseconds within which a half, 99 of 100 and 999 of 1,000 requests were answered, and
// megabytes resident at the end, where a page that processes share counts once. A time is from the request's first byte to the answer's last: what it takes to
// connect is not in it.
//
// An answer that is not 200 or is not as long as the first, and any error of a connection, ends it with an error.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// job is what is asked, and how.
type job struct {
	url         string
	connections int
	length      time.Duration // whole seconds
	size        int           // bytes of the body of each answer
	h2, close   bool
	wire        int // bytes of an answer of HTTP/1.1, with its head; measured before
}

// figures are what a load tool saw.
type figures struct {
	requests       int
	took           time.Duration
	p50, p99, p999 time.Duration
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("load: ")
	var j job
	var alone, trees pids
	flag.IntVar(&j.connections, "c", 64, "connections")
	flag.DurationVar(&j.length, "for", 2*time.Second, "how long, in whole seconds")
	flag.BoolVar(&j.h2, "h2", false, "HTTP/2, 10 requests at a time on each connection")
	flag.BoolVar(&j.close, "close", false, "a connection for each request")
	flag.IntVar(&j.size, "size", 0, "bytes that an answer has in its body")
	flag.Var(&alone, "pid", "processes that count")
	flag.Var(&trees, "tree", "processes that count, with all that they started")
	flag.Parse()
	if flag.NArg() != 1 || j.length < time.Second || j.length%time.Second != 0 || len(alone)+len(trees) == 0 {
		log.Fatal("usage: load [-c N] [-for 2s] [-h2] [-close] -size BYTES -pid PID,PID -tree PID URL")
	}
	j.url = flag.Arg(0)
	if err := run(j, alone, trees); err != nil {
		log.Fatal(err)
	}
}

func run(j job, alone, trees pids) (err error) {
	if j.wire, err = probe(j); err != nil {
		return err
	}
	all := alone
	for _, pid := range trees {
		if all, err = descend(all, pid); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	before, err := cpu(all)
	if err != nil {
		return err
	}
	var f figures
	if j.h2 {
		f, err = byH2load(j, filepath.Join(dir, "log"))
	} else {
		f, err = byWrk(j, filepath.Join(dir, "done.lua"))
	}
	if err != nil {
		return err
	}
	after, err := cpu(all)
	if err != nil {
		return fmt.Errorf("a process of the server ended: %w", err)
	}
	memory, err := resident(all)
	if err != nil {
		return err
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	fmt.Printf("%.2f\t%.0f\t%.3f\t%.3f\t%.3f\t%.1f\n", float64((after-before).Nanoseconds())/1000/float64(f.requests),
		float64(f.requests)/f.took.Seconds(), ms(f.p50), ms(f.p99), ms(f.p999), memory)
	return nil
}

// command runs a load tool, whose output says more than its exit code, for as long as the load takes and a minute.
func command(j job, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), j.length+time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, append(args, j.url)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return string(out), nil
}
