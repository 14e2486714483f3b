//go:build linux

// Cost runs a command some times and prints what it costs:
//
//	cost 11 roost list
//	6.30 ms 15.0 MB 2.1 MB
//
// the medians of the wall time, of the most memory that was resident, and of
// how much of it was its own: not a page of a file, which processes share.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: cost TIMES COMMAND...")
		os.Exit(2)
	}
	times, err := strconv.Atoi(os.Args[1])
	if err != nil || times < 1 {
		fmt.Fprintf(os.Stderr, "cost: %q is not a number of times\n", os.Args[1])
		os.Exit(2)
	}
	var walls, residents, owns []float64
	for range times {
		cmd := exec.Command(os.Args[2], os.Args[3:]...)
		begun := time.Now()
		if err := cmd.Start(); err != nil {
			fmt.Fprintf(os.Stderr, "cost: %v\n", err)
			os.Exit(1)
		}
		ended, own := make(chan struct{}), make(chan float64)
		go func() { own <- most(cmd.Process.Pid, ended) }()
		err := cmd.Wait()
		wall := time.Since(begun)
		close(ended)
		owns = append(owns, <-own)
		if err != nil {
			fmt.Fprintf(os.Stderr, "cost: %s: %v\n", os.Args[2], err)
			os.Exit(1)
		}
		walls = append(walls, float64(wall.Microseconds())/1000)
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			residents = append(residents, float64(usage.Maxrss)/1024) // kilobytes on Linux
		}
	}
	fmt.Printf("%.2f ms %.1f MB %.1f MB\n", median(walls), median(residents), median(owns))
}

// most looks at a process again and again until it has ended, and returns the
// most anonymous memory that it held, in megabytes.
func most(pid int, ended <-chan struct{}) (megabytes float64) {
	look := time.NewTicker(100 * time.Microsecond)
	defer look.Stop()
	for {
		select {
		case <-ended:
			return megabytes
		case <-look.C:
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			var kilobytes float64
			if _, err := fmt.Sscanf(line, "RssAnon: %f kB", &kilobytes); err == nil {
				megabytes = max(megabytes, kilobytes/1024)
			}
		}
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
