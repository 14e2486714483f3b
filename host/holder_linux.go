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

// portHolder names the process that listens on a port, of UDP for http3, of
// TCP for anything else: "nginx (pid 812)", or whose it is where this user may
// not see more. It is empty when nothing is found. Sockets are listed in
// /proc/net/tcp and tcp6, udp and udp6 (proc(5)); the process is the one with a
// descriptor that leads to the socket's inode.
func portHolder(kind string, port int) string {
	table, state := "/proc/net/tcp", "0A" // LISTEN
	if kind == "http3" {
		table, state = "/proc/net/udp", "07" // what UDP's are in that are not connected
	}
	inode, uid := "", ""
	for _, table := range []string{table, table + "6"} {
		if i, u, ok := listeningSocket(table, state, port); ok {
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

// listeningSocket finds the socket in that state on port.
func listeningSocket(table, state string, port int) (inode, uid string, ok bool) {
	f, err := os.Open(table)
	if err != nil {
		return "", "", false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != state {
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

func holderHint(kind, address string) string {
	flags := "-ltnp"
	if kind == "http3" {
		flags = "-lunp"
	}
	return fmt.Sprintf("see which with `ss %s 'sport = %d'` as root", flags, portOf(address))
}
