package cli

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// words is the log for people at a terminal or in the journal: a line for each
// record, as commands print theirs, without the time.
//
//	roost: warning: web: instance is replaced: exit status 1 (slot 0, next 100ms)
//	hint: what to do
type words struct {
	c     *console
	least slog.Level
	mu    *sync.Mutex
	attrs []slog.Attr // of the loggers above, names with their group
	group string      // before the names of attributes
}

func newWords(c *console, least slog.Level) slog.Handler {
	return &words{c: c, least: least, mu: new(sync.Mutex)}
}

func (w *words) Enabled(_ context.Context, level slog.Level) bool { return level >= w.least }

func (w *words) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "ended" { // Main tells why
		return nil
	}
	attrs := slices.Clone(w.attrs)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, flat(w.group, a)...)
		return true
	})
	var text, why, hint string
	var rest []string
	for _, a := range attrs {
		value := a.Value.String()
		switch a.Key {
		case "app":
			text = shellQuote(value) + ": "
		case "error", "reason", "problem":
			why = ": " + value
		case "hint":
			hint = "hint: " + value + "\n"
		case "part": // which package speaks does not help people
		default:
			if strings.ContainsAny(value, "\n\r\t") {
				value = strconv.Quote(value)
			}
			rest = append(rest, a.Key+" "+value)
		}
	}
	switch {
	case r.Level >= slog.LevelError:
		text = w.c.paint(styleBad, "error:") + " " + text
	case r.Level >= slog.LevelWarn:
		text = w.c.paint(styleWarn, "warning:") + " " + text
	}
	text += r.Message + why
	if len(rest) > 0 {
		text += " (" + strings.Join(rest, ", ") + ")"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.c.err.Write([]byte("roost: " + text + "\n" + hint))
	return err
}

// flat is an attribute, or the members of a group, with their full names.
func flat(group string, a slog.Attr) []slog.Attr {
	a.Value = a.Value.Resolve()
	if a.Value.Kind() != slog.KindGroup {
		if a.Equal(slog.Attr{}) {
			return nil
		}
		a.Key = group + a.Key
		return []slog.Attr{a}
	}
	if a.Key != "" {
		group += a.Key + "."
	}
	var all []slog.Attr
	for _, member := range a.Value.Group() {
		all = append(all, flat(group, member)...)
	}
	return all
}

func (w *words) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *w
	more.attrs = slices.Clone(w.attrs)
	for _, a := range attrs {
		more.attrs = append(more.attrs, flat(w.group, a)...)
	}
	return &more
}

func (w *words) WithGroup(name string) slog.Handler {
	more := *w
	more.group += name + "."
	return &more
}
