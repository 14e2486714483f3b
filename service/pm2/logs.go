package pm2

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"roost/apps"
	"roost/internal/dateformat"
	"roost/service/control"
	"roost/service/logtext"
)

// usualLines is how many of the last lines logs begins with.
const usualLines = 15

func (s *session) logs() error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	n := usualLines
	if text := s.text("lines"); text != "" {
		if n, err = strconv.Atoi(text); err != nil || n < 0 {
			return usageError(fmt.Sprintf("--lines %q is not a number of lines", text))
		}
	}
	var chosen []row
	for _, word := range s.args {
		some, err := find(rows, word)
		if err != nil {
			return err
		}
		if len(some) == 0 {
			return inWords("Process or Namespace %s not found", word)
		}
		chosen = append(chosen, some...)
	}
	which, plural := strings.Join(s.args, " "), ""
	if which == "" {
		which, plural = "all", "es"
	}
	s.print("%s", s.paint(fmt.Sprintf("[TAILING] Tailing last %d lines for [%s] process%s (change the value with --lines option)", n, which, plural), grey, bold))
	return s.tail(chosen, n, !s.has("nostream"))
}

// stream goes on with new lines of rows, of all when there are none.
func (s *session) stream(rows []row) error { return s.tail(rows, 0, true) }

func (s *session) tail(rows []row, n int, follow bool) error {
	r := control.LogsRequest{Lines: n, Each: true, Follow: follow}
	if len(rows) > 0 {
		r.Targets = targetsOf(rows)
	}
	if s.has("out") != s.has("err") {
		r.Stream = "err"
		if s.has("out") {
			r.Stream = "out"
		}
	}
	o := logtext.Options{Highlight: s.text("highlight"), Colour: s.colour, Width: 10}
	switch {
	case s.has("json"):
		o.Form = logtext.PM2JSON
	case s.has("format"):
		o.Form = logtext.Logfmt
	case s.has("raw"):
		o.Form = logtext.Raw
	}
	if s.has("timestamp") {
		o.Time = stampOf(s.text("timestamp"))
	}
	err := s.client.Logs(s.ctx, r, s.sorter(o))
	if errors.Is(err, syscall.EPIPE) {
		return nil // whoever read has seen enough
	}
	return err
}

// sorter prints lines: raw ones of stderr to stderr.
func (s *session) sorter(o logtext.Options) func(apps.Line) error {
	out, err := logtext.New(s.out, o), logtext.New(s.err, o)
	return func(l apps.Line) error {
		if l.Stream == "err" && o.Form == logtext.Raw {
			return err.Print(l)
		}
		return out.Print(l)
	}
}

// stampOf is the form of --timestamp's times.
func stampOf(text string) dateformat.Format {
	return dateformat.Parse(cmp.Or(text, "YYYY-MM-DD-HH:mm:ss"))
}

func (s *session) flush() error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	if len(s.args) > 0 {
		rows = named(rows, s.args[0])
	} else if s.dirs.PM2 != "" {
		s.say("Flushing %s", s.dirs.ProgramLog())
		if err := os.Truncate(s.dirs.ProgramLog(), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("cannot empty the daemon's log: %w", err)
		}
	}
	if len(rows) > 0 {
		if _, err := s.client.Act(s.ctx, control.ActRequest{Verb: control.VerbFlush, Targets: targetsOf(rows)}, nil); err != nil {
			return err
		}
	}
	for i := range rows {
		logs := rows[i].logs()
		s.say("Flushing:")
		s.say("%s", logs.Out)
		s.say("%s", logs.Err)
	}
	s.say("Logs flushed")
	return nil
}

func (s *session) reloadLogs() error {
	s.print("Reloading all logs...")
	rows, err := s.all()
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		if _, err := s.client.Act(s.ctx, control.ActRequest{Verb: control.VerbReopen, Targets: []string{"all"}}, nil); err != nil {
			return err
		}
	}
	s.print("All logs reloaded")
	return nil
}
