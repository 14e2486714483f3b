package apps

import (
	"fmt"
	"slices"
)

// Tail returns the last n lines that are in the log files of apps in the
// folder dir, oldest first, merged by time. streams are "out" and "err"; none
// means both. It reads from the ends, rotated files too where they are needed.
// An app without files has no lines. Lines that are not of our making, such as
// the rest of one that a full disk cut, have the slot -1 and the time of the
// next line.
func Tail(dir string, apps []string, streams []string, n int) ([]Line, error) {
	if n <= 0 {
		return nil, nil
	}
	if len(streams) == 0 {
		streams = streamNames[:]
	}
	var sources []*lineSource
	defer func() {
		for _, s := range sources {
			s.close()
		}
	}()
	for _, app := range apps {
		for _, name := range streams {
			i := slices.Index(streamNames[:], name)
			if i < 0 {
				return nil, fmt.Errorf("cannot read the stream %q: there are out and err", name)
			}
			s := &lineSource{app: app, stream: name, path: logPath(dir, app, stream(i)), wanted: n}
			sources = append(sources, s)
			if err := s.next(); err != nil {
				return nil, fmt.Errorf("cannot read the log of %s: %w", app, err)
			}
		}
	}
	var lines []Line
	for len(lines) < n {
		var latest *lineSource
		for _, s := range sources {
			if s.more && (latest == nil || !s.line.Time.Before(latest.line.Time)) {
				latest = s
			}
		}
		if latest == nil {
			break
		}
		lines = append(lines, latest.line)
		if err := latest.next(); err != nil {
			return nil, fmt.Errorf("cannot read the log of %s: %w", latest.app, err)
		}
	}
	slices.Reverse(lines)
	return lines, nil
}
