// Package logtext writes lines of the apps' output, for people and for programs.
package logtext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"roost/apps"
	"roost/internal/dateformat"
)

// Form is how a line is written.
type Form int

// The forms of a line.
const (
	Prefixed Form = iota // 0|web  | text
	Raw                  // text
	JSON                 // apps.Line
	PM2JSON              // {"message":…,"timestamp":…,"type":…,"process_id":…,"app_name":…}
	Logfmt               // timestamp=… app=… id=… type=… message=…
)

// Options say how lines are written. The zero value is Prefixed and plain.
type Options struct {
	Form Form
	// Time stands in front of prefixed lines, and in logfmt; none, or "YYYY-MM-DD-HH:mm:ssZZ" in logfmt, when empty.
	Time dateformat.Format
	// Highlight is a word to mark in texts, where Colour is on.
	Highlight string
	// Colour is for terminals: each app has its own, stderr is red.
	Colour bool
	// Width is how much room the prefix has at least, in characters; it grows with what comes.
	Width int
}

// Printer writes lines. It is for one goroutine.
type Printer struct {
	w     io.Writer
	o     Options
	width int
	line  []byte
}

// New makes a printer that writes to w, one Write for each line.
func New(w io.Writer, o Options) *Printer {
	if o.Form == Logfmt && o.Time.Empty() {
		o.Time = dateformat.Parse("YYYY-MM-DD-HH:mm:ssZZ")
	}
	return &Printer{w: w, o: o, width: o.Width}
}

// Print writes a line; the error is the writer's.
func (p *Printer) Print(l apps.Line) error {
	b := p.line[:0]
	switch p.o.Form {
	case Raw:
		b = append(p.mark(b, l.Text), '\n')
	case JSON:
		b = object(b, l)
	case PM2JSON:
		b = object(b, pm2Line{l.Text, l.Time, l.Stream, l.ID, l.App})
	case Logfmt:
		b = p.logfmt(b, l)
	default:
		b = p.prefixed(b, l)
	}
	p.line = b
	if cap(b) > maxKept {
		p.line = nil
	}
	_, err := p.w.Write(b)
	return err
}

const maxKept = 64 << 10

// pm2Line is a line as `pm2 logs --json` has it.
type pm2Line struct {
	Message   string    `json:"message"`
	Timestamp time.Time `json:"timestamp,omitzero"`
	Type      string    `json:"type"`
	ProcessID int       `json:"process_id"`
	AppName   string    `json:"app_name"`
}

func object(b []byte, v any) []byte {
	w := bytes.NewBuffer(b)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.Encode(v)
	return w.Bytes()
}

func (p *Printer) logfmt(b []byte, l apps.Line) []byte {
	if !l.Time.IsZero() {
		b = append(b, "timestamp="...)
		b = append(b, quoted(p.o.Time.String(l.Time.Local()))...)
		b = append(b, ' ')
	}
	stream := map[string]string{"err": "error"}[l.Stream]
	if stream == "" {
		stream = l.Stream
	}
	return fmt.Appendf(b, "app=%s id=%d type=%s message=%s\n", quoted(l.App), l.ID, stream, quoted(l.Text))
}

// quoted quotes a value of logfmt where it needs it.
func quoted(s string) string {
	if s == "" || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || r == '\\' || r == 0x7f }) {
		return strconv.Quote(s)
	}
	return s
}

func (p *Printer) prefixed(b []byte, l apps.Line) []byte {
	if !p.o.Time.Empty() && !l.Time.IsZero() {
		b = p.paint(b, faint, p.o.Time.String(l.Time.Local()))
		b = append(b, ' ')
	}
	name := l.App
	if l.ID >= 0 {
		name = strconv.Itoa(l.ID) + "|" + name
	}
	cells := ansi.StringWidth(name)
	p.width = max(p.width, cells)
	colour := red
	if l.Stream != "err" {
		colour = colourOf(l.App)
	}
	b = p.paint(b, colour, name+strings.Repeat(" ", p.width-cells)+" |")
	b = append(b, ' ')
	return append(p.mark(b, l.Text), '\n')
}

// The styles of text on a terminal: ECMA-48 SGR parameters.
const (
	red   = "31"
	faint = "2"
)

func (p *Printer) paint(b []byte, style, text string) []byte {
	if !p.o.Colour {
		return append(b, text...)
	}
	return fmt.Appendf(b, "\x1b[%sm%s\x1b[0m", style, text)
}

// mark appends text with the word to highlight on another ground.
func (p *Printer) mark(b []byte, text string) []byte {
	if p.o.Highlight == "" || !p.o.Colour {
		return append(b, text...)
	}
	return append(b, strings.ReplaceAll(text, p.o.Highlight, "\x1b[7m"+p.o.Highlight+"\x1b[27m")...)
}

// colourOf gives each app a colour of its own, always the same.
func colourOf(app string) string {
	h := fnv.New32()
	h.Write([]byte(app))
	return []string{"32", "34", "35", "36", "94", "95", "96"}[h.Sum32()%7]
}
