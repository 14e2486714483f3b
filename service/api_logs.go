package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"roost/apps"
	"roost/service/control"
)

// mostLines bounds the history that one request may ask for.
const mostLines = 100_000

// logs sends the last lines of apps and, to those who follow, the new ones,
// those of apps included that come to fit the targets later. A reader that is
// slow makes the apps' followers drop lines; it holds nothing up.
func (a *api) logs(c echo.Context) error {
	targets, stream := c.QueryParams()["target"], c.QueryParam("stream")
	count, err := strconv.Atoi(c.QueryParam("lines"))
	follow := c.QueryParam("follow") == "true"
	streams := []string{"out", "err"}
	switch {
	case err != nil || count < 0 || count > mostLines:
		return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("lines = %q is not a number from 0 to %d", c.QueryParam("lines"), mostLines)}
	case stream != "" && stream != "out" && stream != "err":
		return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("unknown stream %q", stream), Hint: `"out", "err", or none for both`}
	case stream != "":
		streams = []string{stream}
	}
	chosen, err := a.followed(targets)
	if err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	f := newFollowers(a, targets, program.Follow)
	defer f.close()
	if follow { // before the history is read: what comes meanwhile is in one or both
		f.update(ctx, chosen)
	}
	var names []string
	for _, l := range chosen {
		names = append(names, l.app)
		if p := a.box.App(l.app); p != nil {
			p.Sync() // or a line that came before we followed is not in the history yet
		}
	}
	var history []apps.Line
	if count > 0 && len(names) > 0 {
		if history, err = a.history(chosen, names, streams, count); err != nil {
			return fmt.Errorf("cannot read the logs: %w", err)
		}
	}

	c.Response().Header().Set(echo.HeaderContentType, "application/x-ndjson")
	c.Response().WriteHeader(http.StatusOK)
	out := json.NewEncoder(c.Response())
	twice := newOverlap(history)
	for i := range history {
		if out.Encode(control.LogEvent{Line: &history[i]}) != nil {
			return nil
		}
	}
	if !follow {
		out.Encode(control.LogEvent{Done: true})
		return nil
	}
	c.Response().Flush()
	return a.follow(ctx, f, chosen, twice, stream, c, out)
}

// history reads the last count lines that chosen shows.
func (a *api) history(chosen followTargets, names, streams []string, count int) ([]apps.Line, error) {
	for read := count; ; read *= 4 { // single instances have only some of their app's lines
		lines, err := apps.Tail(a.dirs.Logs, names, streams, read)
		if err != nil {
			return nil, err
		}
		all := len(lines) < read || read >= mostLines
		lines = slices.DeleteFunc(lines, func(l apps.Line) bool { return !chosen.shows(l.App, l.Slot) })
		if all || len(lines) >= count {
			return lines[max(0, len(lines)-count):], nil
		}
	}
}

func (a *api) follow(ctx context.Context, f *followers[apps.Line], chosen followTargets, twice *overlap, stream string, c echo.Context, out *json.Encoder) error {
	beat, look := time.NewTicker(control.Beat), time.NewTicker(time.Second)
	defer beat.Stop()
	defer look.Stop()
	for {
		var e control.LogEvent
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			if now, err := a.followed(f.targets); err == nil {
				chosen = now
				f.update(ctx, chosen)
			}
			continue
		case <-beat.C:
		case line := <-f.news:
			if stream != "" && line.Stream != stream || !chosen.shows(line.App, line.Slot) || twice.has(line) {
				continue
			}
			e.Line = &line
		}
		if out.Encode(e) != nil {
			return nil
		}
		if len(f.news) == 0 {
			c.Response().Flush()
		}
	}
}

// overlap knows the newest lines of a history, to tell when a follower brings
// them again.
type overlap struct {
	newest time.Time
	seen   map[apps.Line]int
}

// overlapping is how far back lines may be that are still on their way to followers.
const overlapping = 5 * time.Second

func newOverlap(history []apps.Line) *overlap {
	o := &overlap{seen: map[apps.Line]int{}}
	if len(history) == 0 {
		return o
	}
	o.newest = asLogged(history[len(history)-1]).Time
	for i := len(history) - 1; i >= 0; i-- {
		l := asLogged(history[i])
		if o.newest.Sub(l.Time) > overlapping {
			break
		}
		o.seen[l]++
	}
	return o
}

// has reports whether the history had this very line, once for each time it had.
func (o *overlap) has(l apps.Line) bool {
	if len(o.seen) == 0 {
		return false
	}
	l = asLogged(l)
	if l.Time.Sub(o.newest) > overlapping {
		o.seen = nil // the follower is past the history
		return false
	}
	if o.seen[l] == 0 {
		return false
	}
	o.seen[l]--
	return true
}

// asLogged is l as it comes back from a file: times there are UTC milliseconds.
func asLogged(l apps.Line) apps.Line {
	l.Time = l.Time.UTC().Truncate(time.Millisecond)
	return l
}
