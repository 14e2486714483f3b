package install

import (
	"context"
	"errors"

	kardianos "github.com/kardianos/service"
)

// Run runs the resident program under the Windows service manager until that,
// or ctx, asks it to stop. When the program ends by itself, Run returns at
// once: the process then exits without having reported the service as stopped,
// which is what the service manager's recovery actions wait for.
func Run(ctx context.Context, run func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	life := &life{ctx: ctx, cancel: cancel, run: run, asked: make(chan struct{}), over: make(chan struct{})}
	s, err := kardianos.New(life, &kardianos.Config{Name: Name})
	if err != nil {
		return err
	}
	dispatched := make(chan error, 1)
	go func() { dispatched <- s.Run() }()
	select {
	case err := <-dispatched:
		cancel()
		return err
	case <-life.over:
	}
	select {
	case <-life.asked:
		return <-dispatched
	default:
	}
	if life.result == nil {
		return errors.New("the program ended without being asked")
	}
	return life.result
}

// life is the program between the service manager's Start and Stop.
type life struct {
	ctx    context.Context
	cancel context.CancelFunc
	run    func(context.Context) error
	asked  chan struct{} // closed when the service manager asks it to stop
	over   chan struct{} // closed when it has ended, with result
	result error
}

// Start returns at once: Windows gives up on a service that is slow to start.
func (l *life) Start(kardianos.Service) error {
	go func() {
		l.result = l.run(l.ctx)
		close(l.over)
	}()
	return nil
}

func (l *life) Stop(kardianos.Service) error {
	close(l.asked)
	l.cancel()
	<-l.over
	return l.result
}
