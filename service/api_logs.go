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
	switch {
	case err != nil || count < 0 || count > mostLines:
		return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("lines = %q is not a number from 0 to %d", c.QueryParam("lines"), mostLines)}
	case stream != "" && stream != "out" && stream != "err":
		return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("unknown stream %q", stream), Hint: `"out", "err", or none for both`}
	}
	chosen, err := a.followed(targets)
	if err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	var past []*apps.History
	begun := false
	f := newFollowers(a, targets, func(p program) (<-chan apps.Line, func()) {
		h, lines, stop := p.Follow()
		if begun { // an app that has come since
			h.Close()
		} else {
			past = append(past, h)
		}
		return lines, stop
	})
	defer f.close()
	if follow {
		f.update(ctx, chosen)
	} else {
		for _, l := range chosen {
			if p := a.box.App(l.app); p != nil {
				past = append(past, p.History())
			}
		}
	}
	history, err := apps.Tail(past, count, chosen.filter(stream))
	begun = true
	for _, h := range past {
		h.Close()
	}
	if err != nil {
		return err
	}

	c.Response().Header().Set(echo.HeaderContentType, "application/x-ndjson")
	c.Response().WriteHeader(http.StatusOK)
	out := json.NewEncoder(c.Response())
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
	return a.follow(ctx, f, chosen, stream, c, out)
}

func (a *api) follow(ctx context.Context, f *followers[apps.Line], chosen followTargets, stream string, c echo.Context, out *json.Encoder) error {
	beat, look := time.NewTicker(control.Beat), time.NewTicker(time.Second)
	defer beat.Stop()
	defer look.Stop()
	keep := chosen.filter(stream)
	for {
		var e control.LogEvent
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			if now, err := a.followed(f.targets); err == nil {
				keep = now.filter(stream)
				f.update(ctx, now)
			}
			continue
		case <-beat.C:
		case line := <-f.news:
			if keep != nil && !keep(line) {
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

// filter says which lines of the targets' apps are asked for; nil: all. What is
// not known of a line cannot keep it out.
func (t followTargets) filter(stream string) func(apps.Line) bool {
	if stream == "" && !slices.ContainsFunc(t, func(l followTarget) bool { return l.slots != nil }) {
		return nil
	}
	return func(l apps.Line) bool {
		if stream != "" && l.Stream != "" && l.Stream != stream {
			return false
		}
		i := slices.IndexFunc(t, func(target followTarget) bool { return target.app == l.App })
		return i < 0 || t[i].slots == nil || t[i].slots[l.Slot] || l.Slot < 0
	}
}
