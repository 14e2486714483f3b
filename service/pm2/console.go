package pm2

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// console says things as PM2 does: results and words on stdout, errors on
// stderr, a coloured prefix in front of words.
type console struct {
	out, err io.Writer
	colour   bool
	silent   bool // --silent: results of jlist, prettylist and logs only
	width    int  // of the terminal that out is; 0: it is none
}

func newConsole(out, err io.Writer, l *line, getenv func(string) string) *console {
	c := &console{out: out, err: err, silent: l.has("silent") || getenv("PM2_SILENT") != ""}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.width = 80
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			c.width = w
		}
		c.colour = !l.has("no-color") && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	}
	return c
}

// The colours: ECMA-48 SGR parameters that begin and end one.
type style struct{ on, off string }

var (
	green   = style{"32", "39"}
	red     = style{"31", "39"}
	yellow  = style{"33", "39"}
	blue    = style{"34", "39"}
	cyan    = style{"36", "39"}
	grey    = style{"90", "39"}
	bold    = style{"1", "22"}
	inverse = style{"7", "27"}
)

func (c *console) paint(text string, styles ...style) string {
	if !c.colour {
		return text
	}
	for _, s := range styles {
		text = "\x1b[" + s.on + "m" + text + "\x1b[" + s.off + "m"
	}
	return text
}

// print writes a line without a prefix.
func (c *console) print(format string, args ...any) {
	if !c.silent {
		fmt.Fprintf(c.out, format+"\n", args...)
	}
}

// say writes words for people.
func (c *console) say(format string, args ...any) {
	c.print("%s", c.paint("[PM2] ", green)+fmt.Sprintf(format, args...))
}

// warn writes to stdout, as PM2 does.
func (c *console) warn(format string, args ...any) {
	c.print("%s", c.paint("[PM2][WARN] ", yellow)+fmt.Sprintf(format, args...))
}

// warnAll tells notes of the daemon.
func (c *console) warnAll(notes []string) {
	for _, note := range notes {
		c.warn("%s", ours(note))
	}
}

// warnErr is for warnings that are failures.
func (c *console) warnErr(format string, args ...any) {
	if !c.silent {
		fmt.Fprintln(c.err, c.paint("[PM2][WARN] ", yellow)+fmt.Sprintf(format, args...))
	}
}

func (c *console) fail(format string, args ...any) {
	if !c.silent {
		fmt.Fprintln(c.err, c.paint("[PM2][ERROR] ", red)+fmt.Sprintf(format, args...))
	}
}

// hint says what to do, in the names of this program's commands.
func (c *console) hint(text string) {
	if text != "" && !c.silent {
		fmt.Fprintln(c.err, "hint: "+ours(text))
	}
}

// ours puts this program's name into texts of the daemon.
func ours(text string) string {
	for _, verb := range []string{"list", "logs", "start", "stop", "restart", "reload", "delete", "scale", "describe", "kill"} {
		text = strings.ReplaceAll(text, "roost "+verb, "pm2 "+verb)
	}
	return text
}
