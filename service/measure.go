package service

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
	"github.com/shirou/gopsutil/v3/process"

	"roost/service/control"
)

const (
	// freshFigures is how old the figures may be that a question is answered with.
	freshFigures = time.Second
	// idleFigures is how often they are taken when nobody asks: a scan of the
	// process table is not free, and an idle daemon should be.
	idleFigures = 15 * time.Second
)

// measurer takes CPU and memory figures, when asked or now and then.
type measurer struct {
	scan func() // what a scan does

	mu   sync.Mutex // held during a scan
	last time.Time
	self *process.Process // this process; nil until first needed
}

// refresh takes the figures anew unless they are fresh.
func (m *measurer) refresh() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.last) >= freshFigures {
		m.scan()
		m.last = time.Now()
	}
}

// run takes them now and then until ctx ends, so that the first who asks gets
// figures over a span of time.
func (m *measurer) run(ctx context.Context) {
	tick := time.NewTicker(idleFigures)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.refresh()
		}
	}
}

// box is how machine and daemon fare. Figures that this system does not give are 0.
func (m *measurer) box() control.Box {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := control.Box{CPUs: runtime.NumCPU()}
	if all, err := cpu.Percent(0, false); err == nil && len(all) == 1 {
		b.CPU = all[0]
	}
	if v, err := mem.VirtualMemory(); err == nil {
		b.MemoryTotal, b.MemoryUsed = v.Total, v.Used
	}
	if l, err := load.Avg(); err == nil {
		b.Load1 = l.Load1
	}
	if m.self == nil {
		m.self, _ = process.NewProcess(int32(os.Getpid()))
	}
	if m.self != nil {
		b.DaemonCPU, _ = m.self.Percent(0)
		if info, err := m.self.MemoryInfo(); err == nil {
			b.DaemonRSS = info.RSS
		}
	}
	return b
}
