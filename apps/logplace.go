package apps

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"roost/internal/dateformat"
)

// logLayout is where the log files of apps are, and how they look, as far as
// an app does not say it itself.
type logLayout struct {
	dir string
	// pm2 gives them PM2's names, and its form: raw, a file for each of several instances.
	pm2 bool
}

// logPlace is a file that output of an app goes to.
type logPlace struct {
	path    string
	mode    os.FileMode
	slot    int // whose output; anySlot: everybody's
	streams [2]bool
	also    bool // what is in it is in others, too
	format  logFormat
}

const anySlot = -1

// pm2Time is the format that the key time stands for.
const pm2Time = "YYYY-MM-DDTHH:mm:ss"

// places returns the files of an app whose slots have these ids: those of out
// first, then those of err, then those of both.
func (l logLayout) places(w *Wanted, ids []int) []logPlace {
	c := &w.Config
	if c.DisableLogs {
		return nil
	}
	each := make([]int, len(ids))
	for n := range ids {
		each[n] = n
	}
	var all []logPlace
	for _, f := range []struct {
		said, usual string
		streams     [2]bool
		also        bool
	}{
		{c.OutFile, "-out.log", [2]bool{true, false}, false},
		{c.ErrorFile, "-error.log", [2]bool{false, true}, false},
		{string(c.LogFile), ".log", [2]bool{true, true}, true},
	} {
		path, usual, ok := l.path(w, f.said, f.usual, f.also)
		if !ok {
			continue
		}
		slots := each
		if l.merged(c) && !(usual && l.pm2 && w.Twin) { // the id tells twins apart
			slots = []int{anySlot}
		}
		for _, n := range slots {
			p := logPlace{path: path, mode: 0o600, slot: n, streams: f.streams, also: f.also, format: l.format(c)}
			if l.pm2 {
				p.mode = 0o644
			}
			if n != anySlot {
				p.path = numbered(path, ids[n])
			}
			all = joinPlace(all, p)
		}
	}
	return all
}

// joinPlace adds p to all; a file that is there already takes both.
func joinPlace(all []logPlace, p logPlace) []logPlace {
	i := slices.IndexFunc(all, func(q logPlace) bool { return q.path == p.path })
	if i < 0 {
		p.format.both = p.streams[streamOut] && p.streams[streamErr]
		return append(all, p)
	}
	q := &all[i]
	if q.slot != p.slot {
		q.slot = anySlot
	}
	for s := range q.streams {
		q.streams[s] = q.streams[s] || p.streams[s]
	}
	q.also = q.also && p.also
	q.format.both = q.streams[streamOut] && q.streams[streamErr]
	return all
}

// merged reports whether the slots share their files. PM2 does that only for
// an app that says nothing of instances.
func (l logLayout) merged(c *Config) bool {
	if c.MergeLogs != nil {
		return *c.MergeLogs
	}
	return !l.pm2 || c.Instances == 0 && c.ExecMode != "cluster"
}

// path is the file that a key means, and whether it is the one that the app
// has where nothing else is said; ok is false when that is none.
func (l logLayout) path(w *Wanted, said, tail string, optional bool) (path string, usual, ok bool) {
	switch {
	case said == "" && optional || nowhere(said):
		return "", false, false
	case said == "" || said == "true" && optional:
		name := SafeName(w.Name)
		switch {
		case l.pm2 && !(optional && windowsDevice(strings.ToLower(w.Name))):
			name = PM2Name(w.Name)
		case w.Twin || optional && likeFile(name):
			name = markedName(w.Name)
		}
		return filepath.Join(l.dir, name+tail), true, true
	}
	return seenFrom(w.Cwd, said), false, true
}

// nowhere reports whether a file is one that keeps nothing.
func nowhere(path string) bool {
	return path == "/dev/null" || path == "NULL" || runtime.GOOS == "windows" && strings.EqualFold(path, "NUL")
}

// numbered puts an id in front of ".log", as PM2 does; of files with another
// name the slots share one.
func numbered(path string, id int) string {
	if base, ok := strings.CutSuffix(path, ".log"); ok {
		return fmt.Sprintf("%s-%d.log", base, id)
	}
	return path
}

func (l logLayout) format(c *Config) logFormat {
	f := logFormat{kind: c.LogType, app: c.Name}
	date := c.LogDateFormat
	if c.Time {
		date = pm2Time
	}
	f.date = dateformat.Parse(date)
	if f.kind == "" {
		f.kind = logLine
		if l.pm2 || date != "" {
			f.kind = logRaw
		}
	}
	if f.kind == logRaw && date != "" {
		f.date = dateformat.Parse(date + "[: ]")
	}
	return f
}

// logs checks the keys of the log files.
func (v *validation) logs() {
	c := v.c
	switch c.LogType {
	case "", logLine, logRaw, logJSON:
		if c.LogType == logLine && (c.Time || c.LogDateFormat != "") {
			v.add("log_type", `log_type = "line" has a time of its own form`, `set log_type = "raw", or remove time and log_date_format`)
		}
	default:
		v.add("log_type", "log_type = %q is none there is", `"line", "raw" or "json"`, c.LogType)
	}
	if strings.ContainsAny(c.LogDateFormat, "\r\n") {
		v.add("log_date_format", "log_date_format has an end of line", `write tokens such as "YYYY-MM-DD HH:mm:ss"`)
	}
	for _, f := range []struct{ key, path string }{{"out_file", c.OutFile}, {"error_file", c.ErrorFile}, {"log_file", string(c.LogFile)}} {
		if strings.Contains(f.path, "\x00") {
			v.add(f.key, "%s has a zero byte", "remove it", f.key)
		} else if f.path != "" && (strings.HasSuffix(f.path, "/") || isFolder(c.Cwd, f.path)) {
			v.add(f.key, "%s = %q is a folder", "name a file in it", f.key, f.path)
		}
	}
}

func isFolder(cwd, path string) bool {
	info, err := os.Stat(seenFrom(cwd, path))
	return err == nil && info.IsDir()
}
