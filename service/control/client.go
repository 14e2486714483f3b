package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Silence is how long the client waits for any sign of life in an answer that
// is streamed; the daemon gives one at least every Beat.
const (
	Beat    = 5 * time.Second
	Silence = 30 * time.Second
)

const (
	dialTimeout   = 5 * time.Second  // a daemon with a full backlog is not coming back
	answerTimeout = 30 * time.Second // to the head of an answer, and of a question to its end
	mostAnswer    = 64 << 20         // bytes of an answer that is not streamed
)

// Client speaks to the daemon behind one socket. It is safe for use by many
// goroutines and holds no connection between calls.
type Client struct {
	socket string
	http   *http.Client
}

// Dial returns a client for the daemon that listens at socket. It does not
// connect yet: the first call says whether anybody is there.
func Dial(socket string) *Client {
	dialer := net.Dialer{Timeout: dialTimeout}
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
		DisableKeepAlives:     true,
		DisableCompression:    true,
		ResponseHeaderTimeout: answerTimeout,
	}}}
}

// Socket is the path that the client was made for.
func (c *Client) Socket() string { return c.socket }

func (c *Client) get(ctx context.Context, path string, into any) error {
	b, err := c.read(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("cannot read the daemon's answer: %w", err)
	}
	return nil
}

func (c *Client) read(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	body, err := c.open(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, mostAnswer))
	if err != nil {
		return nil, fmt.Errorf("cannot read the daemon's answer: %w", err)
	}
	return b, nil
}

// change sends a change and follows its answer to the end.
func (c *Client) change(ctx context.Context, method, path string, request any, progress func(string), result any) error {
	text, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("cannot write the request: %w", err)
	}
	dog := newWatchdog(ctx)
	defer dog.stop()
	body, err := c.open(dog.ctx, method, path, text)
	if err != nil {
		return err
	}
	defer body.Close()
	lines := json.NewDecoder(body)
	for {
		var e Event
		dog.watch()
		err := lines.Decode(&e)
		dog.rest()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return &Error{
				Code:    CodeFailed,
				Message: fmt.Sprintf("the daemon went away before it answered (%v); the change may or may not have been made", dog.cause(err)),
				Hint:    "see what is with: roost list",
			}
		}
		switch {
		case e.Error != nil:
			return e.Error
		case e.Result != nil:
			if err := json.Unmarshal(e.Result, result); err != nil {
				return fmt.Errorf("cannot read the daemon's answer: %w", err)
			}
			return nil
		case e.Progress != "" && progress != nil:
			progress(e.Progress)
		}
	}
}

// open sends a request and returns the body of a good answer; it turns any
// other answer into an *Error.
func (c *Client) open(ctx context.Context, method, path string, body []byte) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://roost"+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("cannot write the request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.noAnswer(err)
	}
	if resp.StatusCode < 300 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var e Event
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if json.Unmarshal(text, &e) != nil || e.Error == nil {
		return nil, &Error{
			Code:    CodeFailed,
			Message: fmt.Sprintf("the daemon answered %s to %s %s", resp.Status, method, path),
			Hint:    "the daemon may be of another version than this command: roost version",
		}
	}
	return nil, e.Error
}

// noAnswer tells apart why nobody answered.
func (c *Client) noAnswer(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &Error{
			Code:    CodeForbidden,
			Message: "this user may not command the daemon at " + c.socket,
			Hint:    "use sudo, or set ROOST_HOME to a folder of your own",
		}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), refused(err):
		return fmt.Errorf("%w (nobody answers at %s)", ErrNotRunning, c.socket)
	}
	return fmt.Errorf("cannot ask the daemon at %s: %w", c.socket, err)
}

// watchdog ends a request whose answer has fallen silent. It watches only
// while the client reads: a terminal that has been stopped is not the daemon's fault.
type watchdog struct {
	ctx   context.Context
	end   context.CancelCauseFunc
	timer *time.Timer
}

var errSilent = fmt.Errorf("no sign of life for %v", Silence)

func newWatchdog(ctx context.Context) *watchdog {
	ctx, end := context.WithCancelCause(ctx)
	return &watchdog{ctx: ctx, end: end, timer: time.AfterFunc(Silence, func() { end(errSilent) })}
}

func (w *watchdog) watch() { w.timer.Reset(Silence) }
func (w *watchdog) rest()  { w.timer.Stop() }
func (w *watchdog) stop()  { w.timer.Stop(); w.end(nil) }

// cause is why a read failed: the dog, or err.
func (w *watchdog) cause(err error) error {
	if context.Cause(w.ctx) == errSilent {
		return errSilent
	}
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("connection closed")
	}
	return err
}
