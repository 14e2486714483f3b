//go:build system

package install_test

import (
	"strings"
	"testing"
)

func TestSystemPM2StartsAtBootAsItsUser(t *testing.T) {
	b := newBox(t)
	b.build("roost", "/usr/local/bin/roost")
	b.do("ln", "-s", "roost", "/usr/local/bin/pm2")
	b.do("useradd", "--create-home", "ann")
	b.do("sh", "-c", "echo 'setInterval(() => {}, 1000)' > /srv/app.js")
	ann := func(command string) []string { return []string{"su", "-", "ann", "-c", command} }
	main := func() string {
		return strings.TrimSpace(b.do("systemctl", "show", "-p", "MainPID", "--value", "pm2-ann"))
	}
	daemon := func() string { return strings.TrimSpace(b.do(ann("cat .pm2/pm2.pid")...)) }

	b.do(ann("pm2 start /srv/app.js --name web && pm2 start /srv/app.js --name idle && pm2 stop idle && pm2 save")...)
	said := b.do(ann("! pm2 startup")...)
	_, command, ok := strings.Cut(said, "sudo ")
	if !ok || !strings.Contains(command, "startup systemd -u ann --hp /home/ann") {
		t.Fatalf("startup as a user says: %s", said)
	}
	b.do("sh", "-c", command)
	if got := strings.TrimSpace(b.do("systemctl", "is-enabled", "pm2-ann")); got != "enabled" {
		t.Errorf("the unit is %s", got)
	}

	for _, end := range []string{"halt", "crash"} {
		b.power(end)
		b.power("boot")
		b.until("active", "systemctl", "is-active", "pm2-ann")
		b.until("online", ann("pm2 describe web")...)
		b.until("stopped", ann("pm2 describe idle")...)
		if main() != daemon() {
			t.Errorf("after %s and boot the unit's process is %s, the daemon %s", end, main(), daemon())
		}
	}
	b.do("sh", "-c", `test "$(ps -o user= -p $(cat /home/ann/.pm2/pids/web-0.pid))" = ann`)

	before := main()
	b.do("kill", "-KILL", before)
	b.until("online", ann("pm2 describe web")...)
	b.until("active", "systemctl", "is-active", "pm2-ann")
	before = main()
	b.do(ann("pm2 update")...)
	if after := main(); after == before || after == "0" || after != daemon() {
		t.Errorf("after an update the unit's process is %s (it was %s), the daemon %s", after, before, daemon())
	}
	b.do(ann("pm2 describe web | grep online")...)

	b.do(ann("pm2 kill")...)
	b.until("inactive", "sh", "-c", "systemctl is-active pm2-ann || true")
	b.do("pm2", "unstartup", "systemd", "-u", "ann", "--hp", "/home/ann")
	b.do("sh", "-c", "! systemctl cat pm2-ann 2>/dev/null && ! pgrep -u ann node")
}
