package foreground

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"roost/apps"
	"roost/service"
	"roost/service/control"
)

// Options say what a daemon in the foreground does.
type Options struct {
	// Service is the daemon. Ready may be set; Output is Print's.
	Service service.Options
	// Begin is called once the daemon answers, to start what it shall run; its
	// error ends the daemon and is what Run returns. Nothing is started when nil.
	Begin func(ctx context.Context, c *control.Client) error
	// Print writes a line of output, never two at a time; one that is slow holds
	// the programs up. Output goes only to the log files when nil.
	Print func(apps.Line)
	// Alone has the daemon begin with nothing, and keep nothing for the next one:
	// what earlier commands have made stays as it is.
	Alone bool
	// Exit ends the daemon when all its apps have ended and no site is served.
	Exit bool
}

// Exited says that the daemon has ended because all its apps had.
type Exited struct {
	// Code is the exit code of one that failed, 1 when it had none, else 0.
	Code int
	// Reason says how that one ended.
	Reason string
}

func (e *Exited) Error() string {
	if e.Code == 0 {
		return "all apps have ended"
	}
	return "all apps have ended: " + e.Reason
}

// Run runs the daemon until ctx ends, or a signal or a command ends it (nil),
// or for the reasons that Options gives.
func Run(ctx context.Context, o Options) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	if o.Alone {
		forget, err := o.alone()
		if err != nil {
			return err
		}
		defer forget()
	}
	var printing sync.Mutex
	if o.Print != nil {
		o.Service.Output = func(l apps.Line) {
			printing.Lock()
			defer printing.Unlock()
			o.Print(l)
		}
	}
	var tasks sync.WaitGroup
	ready := o.Service.Ready
	o.Service.Ready = func(i service.Info) {
		if ready != nil {
			ready(i)
		}
		tasks.Go(func() {
			if err := o.manage(ctx, control.Dial(i.Socket)); err != nil {
				end(err)
			}
		})
	}
	err := service.Run(ctx, o.Service)
	ended := context.Cause(ctx)
	end(nil)
	tasks.Wait()
	if err == nil && ended != nil && !errors.Is(ended, context.Canceled) {
		return ended
	}
	return err
}

// alone gives the daemon a folder of its own for its state.
func (o *Options) alone() (forget func(), err error) {
	d := &o.Service.Dirs
	if err := os.MkdirAll(d.Run, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make a folder: %w", err)
	}
	if d.State, err = os.MkdirTemp(d.Run, "state-"); err != nil {
		return nil, fmt.Errorf("cannot make a folder: %w", err)
	}
	return func() { os.RemoveAll(d.State) }, nil
}

// manage does what there is to do beside the daemon. It returns an error that
// is to end it, or nil.
func (o Options) manage(ctx context.Context, c *control.Client) error {
	news := make(chan struct{}, 1)
	listening, stop := context.WithCancel(ctx)
	var listener sync.WaitGroup
	defer listener.Wait()
	defer stop()
	if o.Exit { // from before there is anything to hear of
		listener.Go(func() {
			_ = c.Events(listening, nil, func(apps.Event) error {
				select {
				case news <- struct{}{}:
				default:
				}
				return nil
			})
		})
	}
	if o.Begin != nil {
		if err := o.Begin(ctx, c); err != nil && !ending(err) {
			return err
		}
	}
	if !o.Exit {
		return nil
	}
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for {
		over, err := ended(ctx, c)
		switch {
		case ctx.Err() != nil || ending(err):
			return nil
		case err != nil:
			return fmt.Errorf("cannot see how the apps stand: %w", err)
		case over != nil:
			return over
		}
		select {
		case <-news:
		case <-look.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// lookAgain is how long after a look the next one is, should no event come: a
// reader that is held up loses some.
const lookAgain = 2 * time.Second

// ending reports whether a question has failed because the daemon ends.
func ending(err error) bool {
	var refused *control.Error
	return errors.Is(err, control.ErrNotRunning) || errors.As(err, &refused) && refused.Code == control.CodeStopping
}

// ended reports how all apps have ended; nil while something runs, or will.
func ended(ctx context.Context, c *control.Client) (*Exited, error) {
	status, err := c.Status(ctx)
	if err != nil || len(status.Sites) > 0 {
		return nil, err
	}
	all, err := c.Apps(ctx, false)
	if err != nil {
		return nil, err
	}
	over := &Exited{}
	for _, a := range all {
		if a.Config.Schedule != "" || len(a.Instances) == 0 { // a job; or it is only being added
			return nil, nil
		}
		for _, i := range a.Instances {
			switch {
			case i.PID != 0 || i.State != apps.StateStopped && i.State != apps.StateErrored:
				return nil, nil
			case over.Code != 0:
			case i.ExitCode != nil && *i.ExitCode != 0:
				over.Code, over.Reason = *i.ExitCode, fmt.Sprintf("%s exited with status %d", apps.ShowName(a.Name), *i.ExitCode)
			case i.State == apps.StateErrored || i.Reason != "" && i.ExitCode == nil:
				over.Code, over.Reason = 1, fmt.Sprintf("%s %s", apps.ShowName(a.Name), i.Reason)
			}
		}
	}
	return over, nil
}
