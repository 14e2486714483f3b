package service

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"
)

// listenSignals ends life on the first SIGTERM or SIGINT (on Windows: Ctrl-C,
// or the console being closed) and kills what is left on the second. SIGHUP
// applies the config file again, SIGUSR2 opens the apps' log files again, for
// those who rotate them. The returned function ends the listening.
func (d *daemon) listenSignals(life context.Context, end context.CancelCauseFunc) (stop func()) {
	heard := make(chan os.Signal, 8)
	signal.Notify(heard, slices.Concat(survived, reopening, []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP})...)
	var applying sync.WaitGroup
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var hurry <-chan time.Time // after the second signal
		for {
			select {
			case <-quit:
				return
			case <-hurry: // an app that is only about to end has started another instance meanwhile
				d.killAll()
			case s := <-heard:
				switch {
				case slices.Contains(survived, s):
				case slices.Contains(reopening, s):
					applying.Go(d.reopenLogs)
				case s == syscall.SIGHUP:
					if life.Err() == nil {
						applying.Go(func() { d.reapply(life) })
					}
				case life.Err() == nil:
					end(fmt.Errorf("signal: %v", s))
				default:
					d.log.Warn("second signal: killing what is left")
					d.killAll()
					hurry = time.Tick(100 * time.Millisecond)
				}
			}
		}
	}()
	return func() {
		signal.Stop(heard)
		close(quit)
		<-done
		applying.Wait()
	}
}

// reopenLogs opens the log files of all apps again.
func (d *daemon) reopenLogs() {
	for _, s := range d.box.Apps() {
		app := d.box.App(s.Name)
		if app == nil { // deleted a moment ago
			continue
		}
		if err := app.Reopen(); err != nil {
			d.log.Error("cannot open logs again", "app", s.Name, "error", err)
		}
	}
	d.log.Info("logs are open again")
}

// killAll ends every instance at once.
func (d *daemon) killAll() {
	for _, s := range d.box.Apps() {
		if app := d.box.App(s.Name); app != nil {
			app.Signal(-1, syscall.SIGKILL)
		}
	}
}
