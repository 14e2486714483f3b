package host

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// portHolder names the process that listens on a TCP port: "nginx (pid 812)",
// or whose it is where this user may not see more. It is empty when nothing is
// found. Sockets are listed in /proc/net/tcp and tcp6 (proc(5)); the process
// is the one with a descriptor that leads to the socket's inode.
func portHolder(port int) string {
	inode, uid := "", ""
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if i, u, ok := listeningSocket(table, port); ok {
			inode, uid = i, u
			break
		}
	}
	if inode == "" {
		return ""
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != "socket:["+inode+"]" {
			continue
		}
		pid := strings.Split(link, "/")[2]
		name, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			continue
		}
		return fmt.Sprintf("%s (pid %s)", bytes.TrimSpace(name), pid)
	}
	if u, err := user.LookupId(uid); err == nil {
		return "a process of user " + u.Username
	}
	return "a process of user " + uid
}

// listeningSocket finds the socket in state LISTEN (0A) on port.
func listeningSocket(table string, port int) (inode, uid string, ok bool) {
	f, err := os.Open(table)
	if err != nil {
		return "", "", false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != "0A" {
			continue
		}
		at := strings.LastIndexByte(fields[1], ':')
		if at < 0 {
			continue
		}
		if n, err := strconv.ParseUint(fields[1][at+1:], 16, 16); err == nil && int(n) == port {
			return fields[9], fields[7], true
		}
	}
	return "", "", false
}

func holderHint(address string) string {
	return fmt.Sprintf("see which with `ss -ltnp 'sport = %d'` as root", portOf(address))
}
