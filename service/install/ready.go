package install

import (
	"context"
	"fmt"
	"time"

	"roost/service/control"
)

// readyTimeout bounds the wait for a service that has been started; its apps
// start after it is ready.
const readyTimeout = 60 * time.Second

// takeOver ends a daemon that has the system's folders and is not the service:
// one that a command of root's has started in the background. What it ran is
// wanted still, and the service starts it again.
func (s *Service) takeOver(ctx context.Context, status Status) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	client := control.Dial(s.o.Socket)
	pong, err := client.Ping(ctx)
	if err != nil || status.Running && (status.PID == 0 || status.PID == pong.PID) {
		return nil // nobody there: what else is wrong shows when the service starts
	}
	s.o.Say(fmt.Sprintf("ending the daemon in the background (pid %d): the service takes over", pong.PID))
	if err := client.Shutdown(ctx); err != nil {
		return fmt.Errorf("cannot end the daemon in the background: %w", err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !Ended(pong.PID) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the daemon in the background (pid %d) has not ended after %v", pong.PID, readyTimeout)
		case <-tick.C:
		}
	}
	return nil
}

// ready waits until the service, started at since, answers on its socket.
func (s *Service) ready(ctx context.Context, since time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	client := control.Dial(s.o.Socket)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := client.Ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return &control.Error{
				Code:    control.CodeFailed,
				Message: fmt.Sprintf("the service has been started but does not answer after %v: %v", readyTimeout, err),
				Hint:    seeLogs,
				Output:  lastWords(since),
			}
		case <-tick.C:
		}
	}
}
