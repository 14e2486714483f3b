package install

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"roost/internal/durable"
)

// unitFile is where the unit is; /etc, because an administrator installs it.
const unitFile = "/etc/systemd/system/" + Name + ".service"

// wantsDir is where WantedBy makes systemd look at boot.
const wantsDir = "/etc/systemd/system/multi-user.target.wants"

// Unit is the systemd unit (systemd.service(5)) that runs program with args.
//
// Why these: Type=notify, so that `systemctl start` and units ordered after it
// wait until the sites answer. Restart without a limit, because a box without
// its sites is worse than a busy one. KillMode=mixed, so that the program
// drains its apps itself and systemd kills what is left over after
// TimeoutStopSec. Delegate, so that it may make control groups for apps.
// OOMPolicy=continue, because an app that is killed for its memory is
// restarted by the program and must not take the others along. No PATH: each
// app brings its own.
func Unit(program string, args []string) string {
	words := []string{quote(program)}
	for _, a := range args {
		words = append(words, quote(a))
	}
	return strings.ReplaceAll(unitText, "EXEC", strings.Join(words, " "))
}

const unitText = `# Written by "roost service install", which rewrites it.
# For settings of your own: systemctl edit ` + Name + `

[Unit]
Description=` + Description + `
Wants=network-online.target
After=network-online.target nss-lookup.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=EXEC
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
KillMode=mixed
TimeoutStopSec=120
OOMPolicy=continue
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity
ConfigurationDirectory=roost
StateDirectory=roost
StateDirectoryMode=0700
LogsDirectory=roost
LogsDirectoryMode=0700
RuntimeDirectory=roost
RuntimeDirectoryMode=0700

[Install]
WantedBy=multi-user.target
`

// quote writes one word of ExecStart so that systemd reads it back as it is
// (systemd.service(5), "Command lines").
func quote(word string) string {
	word = strings.NewReplacer("%", "%%", "$", "$$").Replace(word)
	if strings.ContainsAny(word, " \t\"'\\;") || word == "" {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
	}
	return word
}

// defineSystemd writes the unit to last through a power cut, and enables it.
func defineSystemd(ctx context.Context, unit string) error {
	if err := durable.WriteFile(unitFile, []byte(unit), 0o644); err != nil {
		return err
	}
	if _, err := systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	if _, err := systemctl(ctx, "enable", Name+".service"); err != nil {
		return err
	}
	return syncDir(wantsDir)
}

// syncDir makes the link that systemctl has made there last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("cannot see that the service is enabled: %w", err)
	}
	defer d.Close()
	return d.Sync()
}

// systemdStatus fills status from `systemctl show`; a unit that does not exist
// shows as LoadState=not-found.
func systemdStatus(ctx context.Context, status Status) (Status, error) {
	out, err := systemctl(ctx, "show", "--property=LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts", Name+".service")
	if err != nil {
		return status, err
	}
	return parseShow(status, out), nil
}

func parseShow(status Status, out string) Status {
	of := map[string]string{}
	for line := range strings.Lines(out) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			of[key] = value
		}
	}
	if of["LoadState"] == "not-found" {
		status.State = "not installed"
		return status
	}
	status.Installed = true
	status.Enabled = of["UnitFileState"] == "enabled"
	status.State = of["ActiveState"] + " (" + of["SubState"] + ")"
	// A unit that fails again and again is "activating (auto-restart)": wanted, and to be stopped.
	status.Running = of["ActiveState"] != "inactive" && of["ActiveState"] != "failed"
	status.PID, _ = strconv.Atoi(of["MainPID"])
	status.Restarts, _ = strconv.Atoi(of["NRestarts"])
	return status
}

// systemctl runs one command of systemd, at most 3 minutes.
func systemctl(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "systemctl", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("systemctl %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// journal is the last n lines that the service has written to the journal since
// a time; empty when there is none.
func journal(n int, since time.Time) []string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "journalctl", "--unit="+Name, "--lines="+strconv.Itoa(n), fmt.Sprintf("--since=@%d", since.Unix()), "--no-pager", "--output=cat").Output()
	if err != nil || len(bytes.TrimSpace(out)) == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n")
}
