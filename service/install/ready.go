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

// ready waits until the service answers on its socket.
func (s *Service) ready(ctx context.Context) error {
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
				Output:  lastWords(),
			}
		case <-tick.C:
		}
	}
}
