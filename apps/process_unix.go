//go:build unix

package apps

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes puts a process at the head of a process group of its own.
func attributes(who *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: who.credential()}
}

// interrupt asks the process group to exit, without treekill the program alone. The caller holds life.
func (p *program) interrupt(sig syscall.Signal) {
	whom := -p.cmd.Process.Pid
	if !p.wanted.treekill() {
		whom = -whom
	}
	if err := unix.Kill(whom, sig); err != nil {
		p.log.Warn("cannot ask the instance to stop", "signal", signalName(sig), "error", err)
	}
}

// Signal sends a signal to the program itself.
func (p *program) Signal(sig syscall.Signal) error {
	p.life.Lock()
	defer p.life.Unlock()
	if !p.live {
		return os.ErrProcessDone
	}
	return p.cmd.Process.Signal(sig)
}

// killTree ends every process of the tree (without treekill the first alone):
// all in its control group, where there is one; else its process group, and
// what has left that.
func (p *program) killTree() {
	p.life.Lock()
	defer p.life.Unlock()
	if !p.live {
		return
	}
	leader := p.cmd.Process.Pid
	if !p.wanted.treekill() {
		unix.Kill(leader, unix.SIGKILL)
		return
	}
	if p.group.kill() {
		return
	}
	unix.Kill(-leader, unix.SIGKILL)
	type one struct {
		pid  int
		born uint64
	}
	told := map[one]bool{}
	doubts := 0
	for range 100 {
		members, unsure := tree(leader, p.mark)
		more := false // what they start while we look is found the next time
		for _, m := range members {
			if who := (one{m.pid, m.born}); !told[who] {
				told[who], more = true, true
				m.end()
			}
		}
		if more {
			continue
		}
		if doubts++; !unsure || doubts > 10 {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// remains reports whether a process of the tree is left, after its first has ended.
func (p *program) remains() bool {
	if left, known := p.group.populated(); known {
		return left
	}
	p.life.Lock()
	defer p.life.Unlock()
	if !p.live {
		return false
	}
	members, _ := tree(p.cmd.Process.Pid, p.mark)
	return len(members) > 0
}

func signalOf(s *os.ProcessState) syscall.Signal {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return status.Signal()
	}
	return 0
}

func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return sig.String()
}
