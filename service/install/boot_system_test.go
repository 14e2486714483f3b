//go:build system

package install_test

import (
	"strings"
	"testing"
)

// answers asks every site and app of examples/box over HTTPS, trusting the internal CA alone.
func (b *box) answers() {
	b.t.Helper()
	for url, part := range map[string]string{
		"https://localhost:8443/":          "This box runs",
		"https://localhost:8443/api/hello": `"app":"api"`,
		"https://clock.localhost:8443/":    "says instance",
		"https://docs.localhost:8443/":     "second static site",
	} {
		b.until(part, "curl", "-sS", "--max-time", "10", "--cacert", "/root/ca.pem", url)
	}
}

func TestSystemSitesAndAppsAnswerAgainAfterARebootAndAPowerCut(t *testing.T) {
	b := newBox(t)
	b.build("roost", "/root/roost")
	b.put("../../examples/box", "/srv/box")
	b.build("roost/examples/box/clock", "/srv/box/clock/clock")

	installed := b.do("/root/roost", "service", "install", "--pm2")
	for _, part := range []string{"/etc/roost/roost.toml", "/usr/local/bin/pm2-runtime", "/var/lib/roost", "/var/log/roost"} {
		if !strings.Contains(installed, part) {
			t.Errorf("service install does not say where %s is: %s", part, installed)
		}
	}
	b.do("roost", "apply", "/srv/box/roost.toml")
	b.do("sh", "-c", "roost ca show > /root/ca.pem")
	b.answers()

	b.do("roost", "ca", "install")
	b.do("curl", "-sS", "https://localhost:8443/") // trusted without being told
	b.do("roost", "ca", "uninstall")
	b.do("sh", "-c", "! curl -sS https://localhost:8443/")

	b.do("sh", "-c", "echo 'setInterval(() => {}, 1000)' > /srv/extra.js")
	b.do("pm2", "start", "/srv/extra.js") // the same program, by its other name
	b.until("extra", "roost", "list")

	b.power("halt")
	b.power("boot")
	b.answers()
	b.until("online", "pm2", "describe", "extra")
	b.do("pm2", "delete", "extra")

	b.power("crash")
	b.power("boot")
	b.answers()

	before := strings.TrimSpace(b.do("systemctl", "show", "-p", "MainPID", "--value", "roost"))
	b.do("kill", "-KILL", before)
	b.answers()
	if after := strings.TrimSpace(b.do("systemctl", "show", "-p", "MainPID", "--value", "roost")); after == before || after == "0" {
		t.Errorf("main pid is %s after %s was killed", after, before)
	}

	b.do("roost", "service", "restart")
	b.answers()
	b.until("running", "roost", "service", "status")
	b.do("roost", "service", "stop")
	b.do("sh", "-c", "! curl -s https://localhost:8443/")
	b.do("roost", "service", "start")
	b.answers()
	b.do("/root/roost", "service", "uninstall")
	b.do("sh", "-c", "! systemctl cat roost 2>/dev/null && ! pgrep -x roost && ! pgrep -x node && ! ls /usr/local/bin/pm2*")
}
