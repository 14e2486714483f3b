package apps

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// attributes lets a process be sent CTRL_BREAK, which goes to a whole group.
func attributes(*account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// interrupt asks the program to exit as a console does. One without a console,
// such as a service's, cannot be asked: it is ended.
func (p *program) interrupt(syscall.Signal) {
	if windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(p.cmd.Process.Pid)) != nil {
		go p.killTree()
	}
}

// Signal can only end the program: Windows has no other signals.
func (p *program) Signal(sig syscall.Signal) error {
	p.life.Lock()
	defer p.life.Unlock()
	if !p.live {
		return os.ErrProcessDone
	}
	return p.cmd.Process.Signal(os.Kill)
}

// killTree ends the process and, with treekill, all that descend from it.
func (p *program) killTree() {
	p.life.Lock()
	defer p.life.Unlock()
	if !p.live {
		return
	}
	if !p.wanted.treekill() {
		p.cmd.Process.Kill()
		return
	}
	for _, pid := range tree(uint32(p.cmd.Process.Pid)) {
		terminate(pid)
	}
	p.cmd.Process.Kill()
}

// remains reports whether a descendant is left, after the first has ended.
func (p *program) remains() bool {
	p.life.Lock()
	defer p.life.Unlock()
	return p.live && len(tree(uint32(p.cmd.Process.Pid))) > 0
}

// tree is the processes that descend from leader, deepest last.
func tree(leader uint32) (pids []uint32) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil
	}
	defer windows.CloseHandle(snapshot)
	children := map[uint32][]uint32{}
	entry := windows.ProcessEntry32{}
	entry.Size = uint32(unsafe.Sizeof(entry))
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		children[entry.ParentProcessID] = append(children[entry.ParentProcessID], entry.ProcessID)
	}
	seen := map[uint32]bool{leader: true}
	for queue := []uint32{leader}; len(queue) > 0; queue = queue[1:] {
		for _, pid := range children[queue[0]] {
			if pid != 0 && !seen[pid] && startedAfter(pid, leader) {
				seen[pid] = true
				pids = append(pids, pid)
				queue = append(queue, pid)
			}
		}
	}
	return pids
}

// killOrphans finds none: environments cannot be read here.
func killOrphans(string) int { return 0 }

// startedAfter tells a child from an older process whose parent had the pid of
// leader before.
func startedAfter(pid, leader uint32) bool {
	began, ok := created(leader)
	child, known := created(pid)
	return !ok || !known || child >= began
}

func created(pid uint32) (int64, bool) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return 0, false
	}
	defer windows.CloseHandle(h)
	var creation, exit, kernel, user windows.Filetime
	err = windows.GetProcessTimes(h, &creation, &exit, &kernel, &user)
	return creation.Nanoseconds(), err == nil
}

func terminate(pid uint32) {
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return
	}
	defer windows.CloseHandle(h)
	windows.TerminateProcess(h, 1)
}

func signalOf(*os.ProcessState) syscall.Signal { return 0 }

func signalName(sig syscall.Signal) string { return sig.String() }
