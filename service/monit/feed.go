package monit

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"roost/apps"
	"roost/service/control"
)

const (
	kept     = 500 // lines of output
	history0 = 200 // of them from before the page looked
)

// feed is the output of the chosen app, as it comes. Another choice is
// another feed.
type feed struct {
	target string
	lines  chan apps.Line
	stop   context.CancelFunc
}

// output are new lines of a feed; ended says that no more will come.
type output struct {
	feed  *feed
	lines []apps.Line
	ended bool
}

func newFeed(ctx context.Context, d daemon, target string, errorsOnly bool) *feed {
	ctx, cancel := context.WithCancel(ctx)
	f := &feed{target: target, lines: make(chan apps.Line, 256), stop: cancel}
	stream := ""
	if errorsOnly {
		stream = "err"
	}
	go func() {
		defer close(f.lines)
		_ = d.Logs(ctx, control.LogsRequest{Targets: []string{target}, Lines: history0, Follow: true, Stream: stream}, func(l apps.Line) error {
			select {
			case f.lines <- l:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		// it is tried again: the daemon may be starting anew
		select {
		case <-time.After(interval):
		case <-ctx.Done():
		}
	}()
	return f
}

// next waits for lines, and takes all that have come.
func (f *feed) next() tea.Msg {
	l, more := <-f.lines
	out := output{feed: f, ended: !more}
	for more {
		out.lines = append(out.lines, l)
		if len(out.lines) == kept {
			break
		}
		select {
		case l, more = <-f.lines:
			out.ended = !more
		default:
			return out
		}
	}
	return out
}
