package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"

	"roost/apps/ecosystem"
	"roost/service"

	"golang.org/x/term"
)

// console is where a command's results and words go.
type console struct {
	out, err io.Writer
	// colour is on when out is a terminal and nobody has objected.
	colour bool
	// live says that err is a terminal: a line there may be overwritten.
	live bool
	// width of the terminal that err is; 80 when it does not say.
	width int
	// home is the value of ROOST_HOME, for commands that hints spell out.
	home string
}

func newConsole(out, err io.Writer, getenv func(string) string) *console {
	c := &console{out: out, err: err, width: 80, home: getenv("ROOST_HOME")}
	dumb := getenv("TERM") == "dumb"
	c.colour = terminal(out) && getenv("NO_COLOR") == "" && !dumb
	c.live = terminal(err) && !dumb
	if f, ok := err.(*os.File); ok && c.live {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			c.width = w
		}
	}
	return c
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// say tells people what happened, on stderr.
func (c *console) say(format string, args ...any) {
	fmt.Fprintf(c.err, "roost: "+format+"\n", args...)
}

// hint tells people what to do; an empty hint is none.
func (c *console) hint(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); text != "" {
		fmt.Fprintf(c.err, "hint: %s\n", text)
	}
}

// printf writes a line of the result, on stdout.
func (c *console) printf(format string, args ...any) {
	fmt.Fprintf(c.out, format+"\n", args...)
}

// json writes v as the result, on stdout.
func (c *console) json(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// The styles of text on a terminal: ECMA-48 SGR parameters.
const (
	styleGood  = "32"
	styleWarn  = "33"
	styleBad   = "31"
	styleFaint = "2"
	styleBold  = "1"
)

// paint colours text for a terminal.
func (c *console) paint(style, text string) string {
	if !c.colour || style == "" || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// command is how the user types a command of ours here: with ROOST_HOME where
// that decides whom it reaches, by path where the shell would not find it.
func (c *console) command(words string) string {
	s := program() + " " + words
	if c.home != "" {
		s = "ROOST_HOME=" + shellQuote(c.home) + " " + s
	}
	return s
}

// asRoot is how the user types a command of ours as root, for the same daemon.
func (c *console) asRoot(words string) string {
	if runtime.GOOS == "windows" {
		return c.command(words)
	}
	sudo, home := "sudo ", c.home
	if os.Geteuid() == 0 && os.Getenv("SUDO_USER") == "" {
		sudo = ""
	}
	if _, dirs, err := service.Locate(); home == "" && err == nil && dirs.Config == dirs.State {
		home = dirs.State // a user's own, which root would not look for
	}
	if home != "" {
		sudo += "env ROOST_HOME=" + shellQuote(home) + " "
	}
	return sudo + program() + " " + words
}

// shellQuote quotes a word for a POSIX shell where it needs it.
var shellQuote = ecosystem.Quote
