package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"roost/internal/durable"
	"roost/service/control"
)

// AtBoot is a unit of systemd that runs the daemon of one home of PM2 as one user.
type AtBoot struct {
	Name    string // of the unit, without ".service"
	User    string
	Home    string // PM2_HOME, absolute
	Program string // the binary, absolute
	dir     string // of units; systemd's for administrators when empty
}

// bootText is the unit. It is that of the service (see Unit) for one user: the
// folders are in the home. A daemon that ends as it may (pm2 kill, pm2 update)
// is not started again, as with PM2's unit: another one may have its home by then.
const bootText = `# Written by "pm2 startup", which rewrites it, and removed by "pm2 unstartup".

[Unit]
Description=PM2 process manager (roost) of USER
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User=USER
Environment=HOME
ExecStart=EXEC
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=1
KillMode=mixed
TimeoutStopSec=120
OOMPolicy=continue
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`

// unit is the text. The program is told by the name in front of its arguments
// that it is to be itself, under whatever name it lies on the disk.
func (b AtBoot) unit() string {
	exec := "@" + quote(b.Program) + " roost run --service --pm2 " + quote(b.Home)
	return strings.NewReplacer("USER", b.User, "EXEC", exec, "=HOME", "="+quote("PM2_HOME="+b.Home)).Replace(bootText)
}

func (b AtBoot) path() string {
	if b.dir == "" {
		b.dir = filepath.Dir(unitFile)
	}
	return filepath.Join(b.dir, b.Name+".service")
}

// check refuses names that are no file's, or that would end a line of the unit.
func (b AtBoot) check() error {
	for _, word := range []string{b.Name, b.User} {
		if word == "" || strings.ContainsAny(word, "/\n\r \t%$\"'\\") {
			return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("%q is no name of a unit or a user", word)}
		}
	}
	if strings.ContainsAny(b.Home, "\n\r") {
		return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("%q cannot be a home", b.Home)}
	}
	return nil
}

// Boot writes the unit and enables it, for root; it starts with the machine. It
// returns the file.
func Boot(ctx context.Context, b AtBoot) (string, error) {
	if err := b.check(); err != nil {
		return "", err
	}
	if err := durable.WriteFile(b.path(), []byte(b.unit()), 0o644); err != nil {
		return "", fmt.Errorf("cannot write the unit: %w", err)
	}
	if _, err := systemctl(ctx, "daemon-reload"); err != nil {
		return "", err
	}
	_, err := systemctl(ctx, "enable", b.Name+".service")
	return b.path(), err
}

// Starting reports whether systemd is about to start the daemon of the unit: at
// boot, or in the second after a crash.
func (b AtBoot) Starting(ctx context.Context) bool {
	if _, err := os.Stat(b.path()); err != nil || b.check() != nil {
		return false
	}
	state, err := systemctl(ctx, "show", "--property=ActiveState", "--value", b.Name+".service")
	return err == nil && strings.TrimSpace(state) == "activating"
}

// Unboot disables the unit and removes it. The daemon goes on until it is ended.
func Unboot(ctx context.Context, b AtBoot) (string, error) {
	if err := b.check(); err != nil {
		return "", err
	}
	if _, err := os.Stat(b.path()); errors.Is(err, fs.ErrNotExist) {
		return "", &control.Error{Code: control.CodeNotFound, Message: "there is no unit " + b.path(), Hint: "pm2 startup with the same -u and --service-name would have written it"}
	}
	if _, err := systemctl(ctx, "disable", b.Name+".service"); err != nil {
		return "", err
	}
	if err := os.Remove(b.path()); err != nil {
		return "", fmt.Errorf("cannot remove the unit: %w", err)
	}
	_, err := systemctl(ctx, "daemon-reload")
	return b.path(), err
}

// HomeOf is a user's home folder.
func HomeOf(name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("there is no user %q", name), Hint: "name one with -u"}
	}
	return u.HomeDir, nil
}
