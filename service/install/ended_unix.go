//go:build unix

package install

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Ended reports whether the process pid has ended. One that nobody has waited
// for yet has: it holds nothing any more (proc(5), state Z).
func Ended(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false // gone this very moment, or no /proc here: asked again soon
	}
	_, after, _ := bytes.Cut(stat[max(bytes.LastIndexByte(stat, ')'), 0):], []byte(" "))
	return bytes.HasPrefix(after, []byte("Z"))
}
