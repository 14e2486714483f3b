package control

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// stream reads an answer without end, a JSON document of type T a line. It
// returns nil when ctx ends. begun, which may be nil, is called once the
// daemon has begun to answer.
func stream[T any](ctx context.Context, c *Client, path string, begun func(), each func(T) error) error {
	dog := newWatchdog(ctx)
	defer dog.stop()
	body, err := c.open(dog.ctx, http.MethodGet, path, nil)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	defer body.Close()
	if begun != nil {
		begun()
	}
	lines := json.NewDecoder(body)
	for {
		var e T
		dog.watch()
		err := lines.Decode(&e)
		dog.rest()
		switch {
		case err != nil && ctx.Err() != nil:
			return nil
		case err == io.EOF:
			return fmt.Errorf("the daemon ended while it was answering: %w", ErrNotRunning)
		case err != nil:
			return fmt.Errorf("cannot read from the daemon: %w", dog.cause(err))
		}
		if err := each(e); err != nil {
			return err
		}
	}
}
