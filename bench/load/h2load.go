//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const streams = 10 // requests at a time on each connection

// byH2load loads over HTTP/2. It prints no percentiles; its log has the time of each request.
func byH2load(j job, log string) (figures, error) {
	out, err := command(j, "h2load", "-t1", fmt.Sprint("-c", j.connections), fmt.Sprint("-m", streams), fmt.Sprintf("-D%.0f", j.length.Seconds()), "--log-file", log)
	if err != nil {
		return figures{}, err
	}
	times, err := os.Open(log)
	if err != nil {
		return figures{}, err
	}
	defer times.Close()
	return readH2load(j, out, times)
}

var (
	h2loadCounts = regexp.MustCompile(`requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout`)
	h2loadData   = regexp.MustCompile(`\((\d+)\) data`)
)

// readH2load reads what h2load printed and wrote.
func readH2load(j job, out string, log io.Reader) (f figures, err error) {
	counts, data := h2loadCounts.FindStringSubmatch(out), h2loadData.FindStringSubmatch(out)
	if counts == nil || data == nil {
		return f, fmt.Errorf("h2load printed no figures:\n%s", out)
	}
	if !strings.Contains(out, "Application protocol: h2\n") {
		return f, fmt.Errorf("the server does not speak HTTP/2:\n%s", out)
	}
	f.requests, _ = strconv.Atoi(counts[1])
	bytes, _ := strconv.Atoi(data[1])
	if counts[1] != counts[2] || counts[3] != "0" || counts[4] != "0" || counts[5] != "0" || !strings.Contains(out, " 2xx, 0 3xx, 0 4xx, 0 5xx\n") {
		return f, fmt.Errorf("requests failed:\n%s", out)
	}
	if f.requests == 0 {
		return f, errors.New("h2load had no answer")
	}
	if low, high := f.requests*j.size, (f.requests+j.connections*streams)*j.size; bytes < low || bytes > high {
		return f, fmt.Errorf("%d answers had %d bytes in their bodies, not %d each", f.requests, bytes, j.size)
	}
	times, err := readTimes(log)
	if err != nil {
		return f, err
	}
	if len(times) != f.requests {
		return f, fmt.Errorf("h2load counts %d requests, its log has %d", f.requests, len(times))
	}
	slices.Sort(times)
	f.took, f.p50, f.p99, f.p999 = j.length, percentile(times, 500), percentile(times, 990), percentile(times, 999)
	return f, nil
}

// readTimes reads lines of a start in microseconds, a status and how many microseconds it took, with tabs between.
func readTimes(log io.Reader) (times []time.Duration, err error) {
	for lines := bufio.NewScanner(log); ; {
		if !lines.Scan() {
			return times, lines.Err()
		}
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) < 3 {
			return nil, fmt.Errorf("h2load's log has the line %q", lines.Text())
		}
		us, err := strconv.Atoi(fields[2])
		if err != nil || fields[1] != "200" {
			return nil, fmt.Errorf("h2load's log has the line %q", lines.Text())
		}
		times = append(times, time.Duration(us)*time.Microsecond)
	}
}

// percentile returns the least of the sorted times that so many of a thousand do not exceed (the nearest rank).
func percentile(sorted []time.Duration, perMille int) time.Duration {
	rank := (len(sorted)*perMille + 999) / 1000
	return sorted[max(rank, 1)-1]
}
