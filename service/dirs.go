package service

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"time"
)

// Dirs are the folders of one daemon, absolute.
type Dirs struct {
	Config   string // where the user's roost.toml is looked for; never written
	State    string // state.json: what is wanted
	TLS      string // certificates, accounts, internal CA
	Releases string // unpacked code
	Logs     string // roost.log, access logs, output of apps
	Run      string // lock; sockets too, unless its path is too long for them
	PM2      string // home of PM2 whose layout the daemon keeps beside (pm2.log, pm2.pid, pids); none when empty
}

// mostSocketDir bounds the path of a folder for sockets, bytes: sun_path holds 104
// on macOS and 108 on Linux (unix(7)), of which the names in the folder need the rest.
const mostSocketDir = 80

// FindDirs returns the folders of the daemon that this user would start:
// everything below $ROOST_HOME when set, the system's folders for root (on
// Windows: an administrator), else everything below ~/.roost. getenv is os.Getenv,
// or a test's.
func FindDirs(getenv func(string) string) (Dirs, error) {
	if home := getenv("ROOST_HOME"); home != "" {
		home, err := filepath.Abs(home)
		if err != nil {
			return Dirs{}, fmt.Errorf("cannot find the folder of ROOST_HOME: %w", err)
		}
		return dirsBelow(home), nil
	}
	if privileged() {
		return systemDirs(), nil
	}
	return userDirs(getenv)
}

// Locate finds the daemon that commands of this user go to: that of
// $ROOST_HOME, else the system's if this user may use it, else the user's own.
// Nobody need be running there.
func Locate() (socket string, d Dirs, err error) {
	if os.Getenv("ROOST_HOME") == "" && !privileged() && answering(systemDirs().Socket()) {
		d = systemDirs()
		return d.Socket(), d, nil
	}
	if d, err = FindDirs(os.Getenv); err != nil {
		return "", d, err
	}
	if d.Sockets() != d.Run { // others may write beside it: whom would we be talking to?
		if err := trusted(d.Sockets(), d.Run); err != nil && !os.IsNotExist(err) {
			return "", d, err
		}
	}
	return d.Socket(), d, nil
}

// Socket is the path of the control socket.
func (d Dirs) Socket() string { return filepath.Join(d.Sockets(), "roost.sock") }

// Sockets is the folder for sockets: Run, or where that is too long a path for
// a socket, a folder in the box's temporary folder whose name follows from Run
// alone, so that daemon and client agree whoever they are.
func (d Dirs) Sockets() string {
	if len(d.Run) <= mostSocketDir {
		return d.Run
	}
	sum := sha256.Sum256([]byte(d.Run))
	return filepath.Join(temporary(), "roost-"+hex.EncodeToString(sum[:8]))
}

// ProgramLog is the path of the program's own log.
func (d Dirs) ProgramLog() string {
	if d.PM2 != "" {
		return filepath.Join(d.PM2, "pm2.log")
	}
	return filepath.Join(d.Logs, "roost.log")
}

// File is the config file that is applied at start when none is named and it exists.
func (d Dirs) File() string { return filepath.Join(d.Config, "roost.toml") }

// make creates what is missing, readable by this user alone.
func (d Dirs) make() error {
	for _, dir := range []string{d.State, d.TLS, d.Releases, d.Logs, d.Run, d.Sockets()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("cannot make folder: %w", err)
		}
	}
	for _, dir := range []string{d.TLS, d.Run} { // these hold secrets and sockets, whoever made them
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("cannot make folder private: %w", err)
		}
	}
	if d.Sockets() != d.Run {
		return trusted(d.Sockets(), d.Run)
	}
	return nil
}

func dirsBelow(home string) Dirs {
	return Dirs{
		Config:   home,
		State:    home,
		TLS:      filepath.Join(home, "tls"),
		Releases: filepath.Join(home, "releases"),
		Logs:     filepath.Join(home, "logs"),
		Run:      filepath.Join(home, "run"),
	}
}

// PM2Dirs are the folders of a daemon in a home of PM2, an absolute path: what
// PM2's users look for is where PM2 has it, the rest in a folder of ours.
func PM2Dirs(home string) Dirs {
	d := dirsBelow(filepath.Join(home, "roost"))
	d.Config, d.Logs, d.PM2 = home, filepath.Join(home, "logs"), home
	return d
}

// SystemDirs are the folders of the system's daemon, whoever asks.
func SystemDirs() (d Dirs, answers bool) {
	d = systemDirs()
	return d, answering(d.Socket())
}

func userDirs(getenv func(string) string) (Dirs, error) {
	home := getenv("HOME")
	if home == "" {
		u, err := user.Current()
		if err != nil || u.HomeDir == "" {
			return Dirs{}, fmt.Errorf("cannot find this user's home folder; set ROOST_HOME to a folder for roost")
		}
		home = u.HomeDir
	}
	home, err := filepath.Abs(home)
	if err != nil {
		return Dirs{}, fmt.Errorf("cannot find this user's home folder: %w", err)
	}
	return dirsBelow(filepath.Join(home, ".roost")), nil
}

// answering reports whether somebody listens at socket and lets this user in.
func answering(socket string) bool {
	c, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
