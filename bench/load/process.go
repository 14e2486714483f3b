//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// pids is a flag of process ids with commas between.
type pids []int

func (p *pids) String() string { return fmt.Sprint(*p) }

func (p *pids) Set(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		pid, err := strconv.Atoi(one)
		if err != nil {
			return err
		}
		*p = append(*p, pid)
	}
	return nil
}

// descend adds a process and all below it.
func descend(to pids, pid int) (pids, error) {
	to = append(to, pid)
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no process %d", pid)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for child := range strings.FieldsSeq(string(text)) {
			below, err := strconv.Atoi(child)
			if err != nil {
				return nil, err
			}
			if to, err = descend(to, below); err != nil {
				return nil, err
			}
		}
	}
	return to, nil
}

// cpu returns how long processes have run, to the nanosecond and with threads that have ended: clock_getcpuclockid(3) says which clock that is.
func cpu(of pids) (sum time.Duration, err error) {
	for _, pid := range of {
		var ran unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|2), &ran); err != nil {
			return 0, fmt.Errorf("cannot read the CPU time of process %d: %w", pid, err)
		}
		sum += time.Duration(ran.Nano())
	}
	return sum, nil
}

// resident returns the megabytes that processes have in memory; each has its part of what it shares (Pss).
func resident(of pids) (megabytes float64, err error) {
	for _, pid := range of {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, err
		}
		_, line, found := strings.Cut(string(text), "\nPss:")
		var kilobytes float64
		if _, err := fmt.Sscan(line, &kilobytes); err != nil || !found {
			return 0, fmt.Errorf("no Pss of process %d: %v", pid, err)
		}
		megabytes += kilobytes / 1024
	}
	return megabytes, nil
}
