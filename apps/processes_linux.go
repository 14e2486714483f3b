package apps

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of times in /proc: USER_HZ is 100 on every platform that Go
// runs Linux on.
const tick = time.Second / 100

// processes reads the process table: one small file for each process, where
// gopsutil reads three.
func processes() (map[int]process, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("cannot read the process table: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("cannot read the process table: %w", err)
	}
	var uptime unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &uptime)
	page := uint64(os.Getpagesize())
	table := make(map[int]process, len(names))
	var buf [1024]byte
	for _, name := range names {
		if name[0] < '1' || name[0] > '9' {
			continue
		}
		n := readSmall("/proc/"+name+"/stat", buf[:])
		if p, ok := parseStat(buf[:n], page); ok { // else it has ended meanwhile
			p.age = time.Duration(uptime.Nano()) - time.Duration(p.born)*tick
			table[p.pid] = p
		}
	}
	return table, nil
}

// readSmall reads a file without making an os.File of it; 0 when it cannot.
func readSmall(path string, buf []byte) int {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	n, _ := unix.Read(fd, buf)
	return max(0, n)
}

// parseStat reads a line of /proc/pid/stat (proc_pid_stat(5)). The second field
// is the program's name in parentheses, which may hold anything, these too.
func parseStat(line []byte, page uint64) (p process, ok bool) {
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return p, false
	}
	pid, err := strconv.Atoi(string(line[:open-1]))
	if err != nil {
		return p, false
	}
	var value [22]uint64 // from the third field on
	n := 0
	for field := range bytes.FieldsSeq(line[end+1:]) {
		if n == len(value) {
			break
		}
		if n > 0 {
			v, err := strconv.ParseInt(string(field), 10, 64) // some are negative
			if err != nil {
				return p, false
			}
			value[n] = uint64(v)
		}
		n++
	}
	if n < len(value) {
		return p, false
	}
	at := func(field int) uint64 { return value[field-3] } // as the manual numbers them
	return process{
		pid:      pid,
		parent:   int(at(4)),
		group:    int(at(5)),
		session:  int(at(6)),
		spent:    time.Duration(at(14)+at(15)+at(16)+at(17)) * tick,
		born:     at(22),
		resident: at(24) * page,
	}, true
}

// details adds what processes leaves out: nothing.
func details(p process) process { return p }
