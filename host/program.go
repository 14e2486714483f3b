package host

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"roost/apps"
)

// program is an app of the host and its figures.
type program struct {
	name    string
	app     *apps.App
	figures *figures
	wanted  apps.Wanted // the loop's
	wait    apps.Wait   // the loop's: what it was told to wait for
	removed bool        // the loop's; set before it is handed to anyone
	cancel  context.CancelFunc
	done    chan struct{} // closed when its last process has ended
}

func newProgram(o Options, name string, events *apps.EventStream, changed func(), fail func(http.ResponseWriter, *http.Request, int)) *program {
	return &program{
		name: name, figures: newFigures(), done: make(chan struct{}),
		app: apps.New(apps.Options{
			RunDir: o.RunDir, LogDir: o.LogDir, Output: o.Output, Events: events, PM2Home: o.PM2Home, Log: o.Log.With("app", name), Changed: changed, Error: fail,
		}),
	}
}

// start runs the app, unless it runs; after an app of the same name has ended,
// whose sockets and logs it takes over.
func (p *program) start(l life, before *program, log *slog.Logger) {
	if p.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(l)
	p.cancel = cancel
	l.running.Go(func() {
		defer close(p.done)
		defer cancel()
		if before != nil {
			<-before.done
		}
		if err := p.app.Run(ctx); err != nil {
			log.Error("an app is not supervised any more", "app", p.name, "error", err)
		}
	})
}

func (p *program) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// settle waits until the app is as wanted, or gone when it was removed.
func (p *program) settle(ctx context.Context) error {
	if !p.removed {
		return nameHolder(p.app.Settle(ctx))
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// nameHolder adds to an app's failure which process has the port that the app
// could not have, as far as that can be seen.
func nameHolder(err error) error {
	f, ok := err.(*apps.Failure)
	if !ok || f.Port == 0 {
		return err
	}
	holder := portHolder("http", f.Port)
	switch {
	case holder == "":
		return err
	case strings.HasSuffix(holder, fmt.Sprintf("(pid %d)", os.Getpid())):
		holder = "this roost, for itself or for another app"
	}
	named := *f
	named.Reason += fmt.Sprintf(": port %d is taken by %s", f.Port, holder)
	named.Hint = "stop it, or choose another port"
	return &named
}
