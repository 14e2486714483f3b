package apps

import (
	"fmt"
	"slices"
)

// maxTail bounds the lines that Tail holds in memory, in bytes.
const maxTail = 64 << 20

// mostRead bounds the lines that Tail reads of a file when not all of them count.
const mostRead = 1_000_000

// Tail returns the last n lines of histories, oldest first, as far as they fit
// into 64 MB. keep says which lines count; nil: all. Lines whose time is known are
// merged by it; those of files that tell no time (Line.Time is zero) come first,
// file by file, each with its share of n. It reads from the ends, rotated files too where they are needed.
//
// What a file does not tell of a line is -1 (Slot, ID) or empty (Stream). Lines
// that are not of our making, such as the rest of one that a full disk cut, have
// the slot -1 and the time of the next line.
func Tail(histories []*History, n int, keep func(Line) bool) ([]Line, error) {
	return lastLines(histories, n, false, keep)
}

// TailEach is Tail with the last n lines of each file.
func TailEach(histories []*History, n int, keep func(Line) bool) ([]Line, error) {
	return lastLines(histories, n, true, keep)
}

func lastLines(histories []*History, n int, each bool, keep func(Line) bool) ([]Line, error) {
	if n <= 0 {
		return nil, nil
	}
	var timed, others []*lineSource
	paths := map[string]bool{} // apps may share a file
	for _, h := range histories {
		if h.err != nil {
			return nil, fmt.Errorf("cannot read the log of %s: %w", h.app, h.err)
		}
		for _, s := range h.sources {
			if paths[s.place.path] {
				s.forgetFile()
			}
			paths[s.place.path] = true
			if s.place.format.timed() {
				timed = append(timed, s)
			} else {
				others = append(others, s)
			}
			s.wanted, s.keep = n, keep
			if keep != nil {
				s.wanted = max(n, mostRead)
			}
			s.wanted = min(s.wanted, s.most)
		}
	}
	t := tail{left: maxTail}
	share := max(1, n/max(1, len(timed)+len(others))) // of each file that has no times to compare
	if each {
		share, n = n, n*(len(timed)+len(others))
	}
	for _, s := range slices.Backward(others) {
		if err := t.read([]*lineSource{s}, min(share, n-len(t.lines))); err != nil {
			return nil, err
		}
	}
	untimed := t.lines
	t.lines = nil
	if each {
		for i := range timed {
			if err := t.read(timed[i:i+1], share); err != nil {
				return nil, err
			}
		}
		slices.SortStableFunc(t.lines, func(a, b Line) int { return b.Time.Compare(a.Time) }) // the newest first
	} else if err := t.read(timed, n-len(untimed)); err != nil {
		return nil, err
	}
	lines := append(t.lines, untimed...)
	slices.Reverse(lines)
	return lines, nil
}

// tail collects lines, the newest first.
type tail struct {
	lines []Line
	left  int // bytes
}

// read takes the last n lines of sources, merged by time.
func (t *tail) read(sources []*lineSource, n int) error {
	for _, s := range sources {
		if err := s.next(); err != nil {
			return fmt.Errorf("cannot read the log of %s: %w", s.like.App, err)
		}
	}
	for n += len(t.lines); len(t.lines) < n; {
		var latest *lineSource
		for _, s := range sources {
			if s.more && (latest == nil || !s.line.Time.Before(latest.line.Time)) {
				latest = s
			}
		}
		if latest == nil {
			return nil
		}
		if t.left -= len(latest.line.Text); t.left < 0 {
			return nil
		}
		t.lines = append(t.lines, latest.line)
		if err := latest.next(); err != nil {
			return fmt.Errorf("cannot read the log of %s: %w", latest.like.App, err)
		}
	}
	return nil
}
