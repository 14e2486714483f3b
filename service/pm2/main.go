package pm2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"roost/host"
	"roost/service"
	"roost/service/control"
)

// version is that of PM2 whose behaviour this is: what -v prints and scripts compare.
const version = "7.0.4"

// programs are the names that the binary may be invoked under instead of its own.
var programs = map[string]func(*session, []string) error{
	"pm2":         pm2,
	"pm2-runtime": inForeground(runtimeName),
	"pm2-docker":  inForeground(runtimeName),
	"pm2-dev":     inForeground(devName),
}

// Runs reports whether the program under this name is one of this package.
func Runs(arg0 string) bool { return programs[nameOf(arg0)] != nil }

func nameOf(arg0 string) string {
	return strings.TrimSuffix(strings.ToLower(filepath.Base(arg0)), ".exe")
}

// Main runs the command line args, of which args[0] is the program's name, and
// returns the exit code: 0, or 1 for whatever went wrong.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &session{ctx: ctx, in: stdin, console: newConsole(stdout, stderr, &line{}, os.Getenv)}
	return s.exit(programs[nameOf(args[0])](s, args[1:]))
}

// session is one run of one command.
type session struct {
	*console
	*line
	ctx    context.Context
	in     io.Reader
	dirs   service.Dirs
	client *control.Client
	// fresh says that this command has started the daemon.
	fresh bool
	// daemon tells of the end of one that runs in this process; nil: none does.
	daemon <-chan error
}

// exitError is a failure that has been told already.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

const failed exitError = 1

// wordsError is an error in PM2's own words, which people and scripts look for.
type wordsError string

func (e wordsError) Error() string { return string(e) }

func inWords(format string, args ...any) error { return wordsError(fmt.Sprintf(format, args...)) }

// pm2 is the program pm2.
func pm2(s *session, args []string) error {
	l, wrong := parse(args)
	s.line, s.console = l, newConsole(s.out, s.err, l, os.Getenv)
	c := lookUp(l.command)
	switch {
	case l.has("version"):
		fmt.Fprintln(s.out, version)
		return nil
	case l.command == "" && l.has("help"):
		s.help()
		return nil
	case l.command == "" && wrong == nil:
		s.usage()
		return failed
	case wrong != nil:
		return wrong
	case c == nil:
		s.print("%s", s.paint("[PM2][ERROR] ", red)+"Command not found\n")
		s.usage()
		return failed
	case l.has("help"):
		s.explain(c)
		return nil
	case len(l.args) < c.least:
		return usageError(fmt.Sprintf("missing required argument `%s'", c.required(len(l.args))))
	case c.most >= 0 && len(l.args) > c.most && c.strict:
		s.print("%s\nUnknown command argument: %s\n", s.paint("[PM2] ", green), l.args[c.most])
		s.explain(c)
		return failed
	}
	if c.daemon != none {
		if err := s.open(c.daemon == quiet); err != nil {
			return err
		}
	}
	return s.stay(c.run(s))
}

// exit tells what went wrong and returns the exit code.
func (s *session) exit(err error) int {
	var (
		told     exitError
		usage    usageError
		refused  *control.Error
		problems host.Problems
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &told):
		return int(told)
	case errors.As(err, &usage):
		if !s.silent {
			fmt.Fprintf(s.err, "\n  error: %v\n\n", usage)
		}
	case errors.As(err, &problems):
		for _, p := range problems {
			s.fail("%v", p)
		}
	case errors.As(err, &refused):
		for _, p := range refused.Problems {
			s.fail("%s", p)
		}
		s.fail("%s", ours(refused.Message))
		for i, text := range refused.Output {
			if i == 0 {
				s.fail("its last lines:")
			}
			s.fail("| %s", text)
		}
		s.hint(refused.Hint)
	default:
		s.fail("%v", err)
	}
	return 1
}
