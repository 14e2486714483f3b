package monit

import (
	"context"
	"errors"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"roost/apps"
	"roost/service/control"
)

// daemon is what the page asks of the control socket; *control.Client is one.
type daemon interface {
	Status(ctx context.Context) (control.Status, error)
	Apps(ctx context.Context, values bool) ([]control.App, error)
	App(ctx context.Context, name string) (control.App, error)
	Act(ctx context.Context, r control.ActRequest, progress func(string)) (control.Acted, error)
	Scale(ctx context.Context, r control.ScaleRequest, progress func(string)) (control.Acted, error)
	Logs(ctx context.Context, r control.LogsRequest, each func(apps.Line) error) error
}

// Options are the surroundings of the page.
type Options struct {
	// Client is the daemon's.
	Client *control.Client
	// Describe writes a description of an app, in lines of text.
	Describe func(control.App) string
	// In and Out are the terminal; its own when nil.
	In  io.Reader
	Out io.Writer
	// Environ is os.Environ's, for the terminal's abilities; its own when nil.
	Environ []string
}

// interval is how often the page asks how everything is.
const interval = time.Second

// Run shows the page until a key ends it, or ctx does.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options := []tea.ProgramOption{tea.WithContext(ctx)}
	if o.In != nil {
		options = append(options, tea.WithInput(o.In))
	}
	if o.Out != nil {
		options = append(options, tea.WithOutput(o.Out))
	}
	if o.Environ != nil {
		options = append(options, tea.WithEnvironment(o.Environ))
	}
	m := newPage(ctx, o.Client, o.Describe)
	defer m.feed.stop()
	_, err := tea.NewProgram(m, options...).Run()
	if errors.Is(err, tea.ErrInterrupted) || ctx.Err() != nil {
		return nil
	}
	return err
}
