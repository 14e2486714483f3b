package apps

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func groupOf(p process) int { return p.group }

// carries reports whether a process was started with mark in its environment,
// if that is known.
func carries(p process, mark string) (is, known bool) {
	const kthreadd = 2 // the parent of all that the kernel runs for itself
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid))
	if err == nil && len(env) == 0 && p.parent != kthreadd && !ended(p.pid) {
		return false, false
	}
	return bytes.Contains(env, []byte("ROOST_INSTANCE="+mark+"\x00")), true
}

// killOrphans ends all processes whose mark begins so, but what those without
// treekill have started, and returns how many there are.
func killOrphans(prefix string) (n int) {
	table, err := processes()
	if err != nil {
		return 0
	}
	for pid, p := range table {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		mark := []byte("ROOST_INSTANCE=" + prefix)
		if err != nil || pid == os.Getpid() || !bytes.Contains(env, mark) {
			continue
		}
		// a program that ends alone leads its process group, and no session
		alone := bytes.Contains(env, append(mark, aloneMark...))
		if (!alone || p.group == pid && p.session != pid) && !ended(pid) {
			p.end()
			n++
		}
	}
	return n
}

// ended reports whether a process is a zombie, or not there.
func ended(pid int) bool {
	var buf [512]byte
	line := buf[:readSmall(fmt.Sprintf("/proc/%d/stat", pid), buf[:])]
	end := bytes.LastIndexByte(line, ')')
	return end < 0 || len(line) < end+3 || line[end+2] == 'Z' || line[end+2] == 'X'
}

func parentOf(pid int) (int, error) {
	var buf [1024]byte
	p, ok := parseStat(buf[:readSmall(fmt.Sprintf("/proc/%d/stat", pid), buf[:])], 1)
	if !ok {
		return 0, os.ErrProcessDone
	}
	return p.parent, nil
}

// end sends SIGKILL to that very process, not to one that has got its pid since.
func (p process) end() {
	handle, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(handle)
	var buf [1024]byte
	now, ok := parseStat(buf[:readSmall(fmt.Sprintf("/proc/%d/stat", p.pid), buf[:])], 1)
	if ok && now.born == p.born {
		unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0)
	}
}
