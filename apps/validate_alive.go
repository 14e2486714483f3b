package apps

import (
	"net"
	"strconv"
	"strings"
)

// alive checks how it is found out whether an instance works, and which one a client gets.
func (v *validation) alive() {
	c := v.c
	if limit := c.HeartbeatTimeout; limit != nil {
		switch {
		case *limit < 0:
			v.add("heartbeat_timeout", "heartbeat_timeout = %v is negative", `write a text such as "30s", or 0 for none`, *limit)
		case *limit > 0 && v.windows:
			v.add("heartbeat_timeout", "on Windows no program tells that it is alive", "remove it; check asks the instances")
		}
	}
	switch c.Sticky {
	case "", stickyCookie, stickyIP:
	default:
		v.add("sticky", "sticky = %q is none", `write "cookie" or "ip"`, c.Sticky)
	}
	if c.Check != nil {
		v.check(c.Check)
	}
}

func (v *validation) check(c *Check) {
	ways := 0
	for _, set := range []bool{c.HTTP != "", c.TCP != "", len(c.Exec) > 0} {
		if set {
			ways++
		}
	}
	if ways != 1 {
		v.add("check", "check has %d of http, tcp and exec, not one", `write one, such as check = { http = "/health" }`, ways)
	}
	if v.c.Schedule != "" {
		v.add("check", "check is for apps that keep running; one with a schedule ends by itself", "remove it")
	}
	if isNoPath(c.HTTP) {
		v.add("check.http", "check.http = %q is no path", `write a path such as "/health"`, c.HTTP)
	}
	if c.TCP != "" && c.TCP != theInstance {
		host, port, err := net.SplitHostPort(c.TCP)
		if n, bad := strconv.Atoi(port); err != nil || host == "" || bad != nil || n < 1 || n > 65535 {
			v.add("check.tcp", "check.tcp = %q is no address", `write "instance", or host and port such as "127.0.0.1:5432"`, c.TCP)
		}
	}
	for _, n := range []struct {
		key string
		n   int64
	}{{"check.interval", int64(c.Interval)}, {"check.timeout", int64(c.Timeout)}, {"check.failures", int64(c.Failures)}} {
		if n.n < 0 {
			v.add(n.key, "%s is negative", "leave it out for the default", n.key)
		}
	}
}

// isNoPath reports whether a path that is set cannot be asked for.
func isNoPath(path string) bool {
	return path != "" && (path[0] != '/' || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f }))
}
