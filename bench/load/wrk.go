//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// atEnd has wrk print what it counted; it has no percentile above 99 of its own.
const atEnd = `done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("figures %d %d %d %d %d %d %d %d %d %d %d\n", summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), e.connect, e.read, e.write, e.status, e.timeout))
end
`

// byWrk loads over HTTP/1.1, plain or TLS without ALPN.
func byWrk(j job, script string) (figures, error) {
	if err := os.WriteFile(script, []byte(atEnd), 0o600); err != nil {
		return figures{}, err
	}
	args := []string{"-t1", fmt.Sprint("-c", j.connections), fmt.Sprintf("-d%.0fs", j.length.Seconds()), "--timeout", "5s", "-s", script}
	if j.close {
		args = append(args, "-H", "Connection: close")
	}
	out, err := command(j, "wrk", args...)
	if err != nil {
		return figures{}, err
	}
	return readWrk(j, out)
}

// readWrk reads what atEnd printed.
func readWrk(j job, out string) (f figures, err error) {
	_, line, found := strings.Cut(out, "figures ")
	if !found {
		return f, fmt.Errorf("wrk printed no figures:\n%s", out)
	}
	var took, bytes, p50, p99, p999, connect, read, write, status, timeout int
	if _, err := fmt.Sscan(line, &f.requests, &took, &bytes, &p50, &p99, &p999, &connect, &read, &write, &status, &timeout); err != nil {
		return f, fmt.Errorf("wrk's figures: %w: %s", err, line)
	}
	if connect+read+write+status+timeout > 0 {
		return f, fmt.Errorf("of %d requests failed: %d to connect, %d to read, %d to write, %d by their status, %d by time", f.requests, connect, read, write, status, timeout)
	}
	if f.requests == 0 {
		return f, errors.New("wrk had no answer")
	}
	// Each connection may have had a part of one more answer, and a field may be a digit longer than in the first.
	if low, high := f.requests*j.wire*99/100, (f.requests*101/100+j.connections+1)*j.wire; bytes < low || bytes > high {
		return f, fmt.Errorf("%d answers had %d bytes; the first had %d", f.requests, bytes, j.wire)
	}
	us := func(n int) time.Duration { return time.Duration(n) * time.Microsecond }
	f.took, f.p50, f.p99, f.p999 = us(took), us(p50), us(p99), us(p999)
	return f, nil
}
