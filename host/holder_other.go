//go:build !linux

package host

import (
	"fmt"
	"runtime"
)

// portHolder is not known here; the hint says how to find out.
func portHolder(string, int) string { return "" }

func holderHint(kind, address string) string {
	if runtime.GOOS == "windows" {
		return fmt.Sprintf("see which with `netstat -ano | findstr :%d`", portOf(address))
	}
	if kind == "http3" {
		return fmt.Sprintf("see which with `lsof -nP -iUDP:%d`", portOf(address))
	}
	return fmt.Sprintf("see which with `lsof -nP -iTCP:%d -sTCP:LISTEN`", portOf(address))
}
