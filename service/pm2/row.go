package pm2

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"roost/apps"
	"roost/service/control"

	"github.com/google/shlex"
)

// row is what PM2 calls a process: an app's slot with what runs in it.
type row struct {
	app *control.App
	apps.Instance
}

// all asks for all there is, ordered by id.
func (s *session) all() ([]row, error) {
	list, err := s.client.Apps(s.ctx, true)
	if err != nil {
		return nil, err
	}
	return rowsOf(list), nil
}

// rowsOf makes a row of each slot. Of the two of a slot in a reload it is the
// new one, as in PM2, which hides the old.
func rowsOf(list []control.App) []row {
	var rows []row
	for i := range list {
		byID := map[int]apps.Instance{}
		for _, in := range list[i].Instances {
			if have, ok := byID[in.ID]; !ok || in.Revision >= have.Revision {
				byID[in.ID] = in
			}
		}
		for _, in := range byID {
			rows = append(rows, row{&list[i], in})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.ID, b.ID) })
	return rows
}

// statuses are the states in PM2's words.
var statuses = map[apps.State]string{
	apps.StateStarting: "launching",
	apps.StateReady:    "online",
	apps.StateDraining: "stopping",
	apps.StateStopped:  "stopped",
	apps.StateWaiting:  "launching",
	apps.StateBackoff:  "waiting restart",
	apps.StateErrored:  "errored",
}

func (r *row) status() string { return statuses[r.State] }

// mode is "cluster" or "fork".
func (r *row) mode() string {
	if apps.Clustered(r.app.Config) {
		return "cluster"
	}
	return "fork"
}

// script is the path of what runs: the script, or the program of a command.
func (r *row) script() string {
	if r.app.Config.Script != "" {
		return absolute(r.app.Config.Script, r.app.Config.Cwd)
	}
	words, err := shlex.Split(r.app.Config.Command)
	if err != nil || len(words) == 0 {
		return r.app.Config.Command
	}
	return words[0]
}

func absolute(path, dir string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// username is the user that the app runs as.
func (r *row) username() string {
	if r.app.Config.User != "" {
		return r.app.Config.User
	}
	return currentUser()
}

// currentUser is the user of this command, whose daemon it is as a rule.
var currentUser = sync.OnceValue(func() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
})

func (r *row) watches() bool { return len(r.app.Config.Watch) > 0 }

// age is the time since the start in PM2's one unit, of which there are two at
// least: 119s, 2m, 47h, 2D.
func (r *row) age() string {
	if r.PID == 0 || r.State != apps.StateReady && r.State != apps.StateStarting {
		return "0"
	}
	for _, u := range []struct {
		seconds float64
		name    string
	}{{365 * 86400, "Y"}, {30 * 86400, "M"}, {86400, "D"}, {3600, "h"}, {60, "m"}} {
		if n := int(r.Uptime / u.seconds); n > 1 {
			return strconv.Itoa(n) + u.name
		}
	}
	return fmt.Sprintf("%ds", int(r.Uptime))
}

// size writes bytes as PM2 does: 52.6mb.
func size(n uint64) string {
	units := []string{"b", "kb", "mb", "gb", "tb"}
	v, u := float64(n), 0
	for v >= 1024 && u < len(units)-1 {
		v, u = v/1024, u+1
	}
	if u == 0 {
		return fmt.Sprintf("%db", n)
	}
	return fmt.Sprintf("%.1f%s", v, units[u])
}

// percent is rounded to tenths, without a zero behind the point: 0%, 3.2%.
func percent(v float64) string {
	return strconv.FormatFloat(tenths(v), 'f', -1, 64) + "%"
}

func tenths(v float64) float64 { return math.Round(v*10) / 10 }

// orNA is PM2's word for nothing.
func orNA(s string) string {
	if strings.TrimSpace(s) == "" {
		return "N/A"
	}
	return s
}
