package apps

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// defaultDialTimeout bounds making a connection to an instance.
const defaultDialTimeout = 5 * time.Second

// dialError says that an instance could not be connected to, so that nothing
// of the request can have reached it.
type dialError struct {
	e   *endpoint
	err error
}

func (d *dialError) Error() string { return fmt.Sprintf("cannot connect to %v: %v", d.e, d.err) }
func (d *dialError) Unwrap() error { return d.err }

// dial connects to the instance. A Unix socket with a full backlog refuses at
// once with EAGAIN where TCP would wait (connect(2)); so we wait.
func (e *endpoint) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, e.dialTimeout)
	defer cancel()
	d := net.Dialer{KeepAlive: -1}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		c, err := d.DialContext(ctx, e.network, e.address)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, syscall.EAGAIN) {
			return nil, &dialError{e, err}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, &dialError{e, context.Cause(ctx)}
		}
	}
}
