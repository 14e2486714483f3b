package control

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"roost/apps"
)

// LogsRequest asks for output of apps.
type LogsRequest struct {
	// Targets as in ActRequest; none: every app.
	Targets []string
	// Lines is how many of the last lines, of all targets together, to begin with: 0 to 100000.
	Lines int
	// Each has Lines count for each file by itself.
	Each bool
	// Follow goes on with new lines until the context ends.
	Follow bool
	// Stream is "out", "err" or, for both, empty.
	Stream string
	// Begun, when not nil, is called once new lines are followed: none that comes later is missed.
	Begun func()
}

// LogEvent is one line of the answer to a LogsRequest; the zero value says
// only that the daemon is alive.
type LogEvent struct {
	Line  *apps.Line `json:"line,omitempty"`
	Error *Error     `json:"error,omitempty"`
	// Done ends an answer without Follow: all has been sent.
	Done bool `json:"done,omitempty"`
}

// Logs calls each with the lines of the apps' output, oldest first, until
// there are no more, ctx ends (nil), or each returns an error, which is then
// returned. A reader that is too slow loses lines.
func (c *Client) Logs(ctx context.Context, r LogsRequest, each func(apps.Line) error) error {
	query := url.Values{
		"target": r.Targets, "stream": {r.Stream},
		"lines": {strconv.Itoa(r.Lines)}, "follow": {strconv.FormatBool(r.Follow)}, "each": {strconv.FormatBool(r.Each)},
	}
	err := stream(ctx, c, "/v1/logs?"+query.Encode(), r.Begun, func(e LogEvent) error {
		switch {
		case e.Error != nil:
			return e.Error
		case e.Done:
			return errDone
		case e.Line != nil:
			return each(*e.Line)
		}
		return nil
	})
	if err == errDone {
		return nil
	}
	return err
}

var errDone = errors.New("all has been sent")
