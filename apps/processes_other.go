//go:build !linux

package apps

import (
	"fmt"
	"time"

	gops "github.com/shirou/gopsutil/v3/process"
)

// processes reads the process table: who is whose child, and no more, since
// the rest costs a call, or a program, for each process here.
func processes() (map[int]process, error) {
	all, err := gops.Processes()
	if err != nil {
		return nil, fmt.Errorf("cannot read the process table: %w", err)
	}
	table := make(map[int]process, len(all))
	for _, p := range all {
		if parent, err := p.Ppid(); err == nil {
			table[int(p.Pid)] = process{pid: int(p.Pid), parent: int(parent)}
		}
	}
	return table, nil
}

// details adds what processes leaves out.
func details(p process) process {
	g, err := gops.NewProcess(int32(p.pid))
	if err != nil {
		return p
	}
	if born, err := g.CreateTime(); err == nil { // milliseconds since 1970
		p.born, p.age = uint64(born), time.Since(time.UnixMilli(born))
	}
	if t, err := g.Times(); err == nil {
		p.spent = time.Duration((t.User + t.System) * float64(time.Second))
	}
	if m, err := g.MemoryInfo(); err == nil {
		p.resident = m.RSS
	}
	return p
}
