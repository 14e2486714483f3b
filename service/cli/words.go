package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
)

// words is the log for people at a terminal or in the journal: a line for each
// record, as commands print theirs, without the time.
//
//	roost: warning: cannot get a certificate: … (name example.com)
type words struct {
	c     *console
	least slog.Level
	mu    *sync.Mutex
	attrs string // of the loggers above
	group string // before the names of attributes
}

func newWords(c *console, least slog.Level) slog.Handler {
	return &words{c: c, least: least, mu: new(sync.Mutex)}
}

func (w *words) Enabled(_ context.Context, level slog.Level) bool { return level >= w.least }

func (w *words) Handle(_ context.Context, r slog.Record) error {
	attrs := w.attrs
	r.Attrs(func(a slog.Attr) bool {
		attrs += w.attr(a)
		return true
	})
	label := ""
	switch {
	case r.Level >= slog.LevelError:
		label = w.c.paint(styleBad, "error:") + " "
	case r.Level >= slog.LevelWarn:
		label = w.c.paint(styleWarn, "warning:") + " "
	}
	if attrs != "" {
		attrs = " (" + strings.TrimPrefix(attrs, ", ") + ")"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := fmt.Fprintf(w.c.err, "roost: %s%s%s\n", label, r.Message, attrs)
	return err
}

// attr writes one attribute as ", name value".
func (w *words) attr(a slog.Attr) string {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		inner := *w
		if a.Key != "" {
			inner.group += a.Key + "."
		}
		text := ""
		for _, member := range value.Group() {
			text += inner.attr(member)
		}
		return text
	}
	if a.Equal(slog.Attr{}) {
		return ""
	}
	text := value.String()
	if strings.ContainsAny(text, "\n\r\t") {
		text = strconv.Quote(text)
	}
	return ", " + w.group + a.Key + " " + text
}

func (w *words) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *w
	for _, a := range attrs {
		more.attrs += w.attr(a)
	}
	return &more
}

func (w *words) WithGroup(name string) slog.Handler {
	more := *w
	more.group += name + "."
	return &more
}
