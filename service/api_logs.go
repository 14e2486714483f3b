package service

import (
	"context"
	"encoding/json"
	"errors"
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
		return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("lines = %q is not a number from 0 to %d", c.QueryParam("lines"), mostLines), Hint: "such as 100"}
	case stream != "" && stream != "out" && stream != "err":
		return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("unknown stream %q", stream), Hint: `"out", "err", or none for both`}
	}
	chosen, err := a.followed(targets)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	s := &logStream{stream: stream, response: c.Response(), out: json.NewEncoder(c.Response())}
	defer s.forget()
	f := newFollowers(a, targets, s.open)
	defer f.close()
	if follow {
		f.update(ctx, chosen)
	} else {
		for _, l := range chosen {
			if p := a.box.App(l.app); p != nil {
				s.past = append(s.past, p.History())
			}
		}
	}
	tail := apps.Tail
	if c.QueryParam("each") == "true" {
		tail = apps.TailEach
	}
	history, err := tail(s.past, count, chosen.filter(stream))
	if err != nil {
		return err
	}
	s.forget()
	s.response.Header().Set(echo.HeaderContentType, "application/x-ndjson")
	s.response.WriteHeader(http.StatusOK)
	if s.send(history) != nil {
		return nil
	}
	if !follow {
		s.out.Encode(control.LogEvent{Done: true})
		return nil
	}
	s.response.Flush()
	s.follow(ctx, f, chosen)
	return nil
}

// logStream is the answer to one request for lines.
type logStream struct {
	stream   string
	response *echo.Response
	out      *json.Encoder
	past     []*apps.History // of apps that are followed, to be shown
}

// open follows an app.
func (s *logStream) open(p program) (<-chan apps.Line, func()) {
	h, lines, stop := p.Follow()
	s.past = append(s.past, h)
	return lines, stop
}

func (s *logStream) forget() {
	for _, h := range s.past {
		h.Close()
	}
	s.past = nil
}

func (s *logStream) send(lines []apps.Line) error {
	for i := range lines {
		if err := s.out.Encode(control.LogEvent{Line: &lines[i]}); err != nil {
			return err
		}
	}
	return nil
}

// mostFresh bounds what is shown of an app from before it was followed, in lines.
const mostFresh = 1000

// fresh sends what apps that have come since wrote before they were followed.
func (s *logStream) fresh(keep func(apps.Line) bool) error {
	for _, h := range s.past {
		h.Fresh()
	}
	lines, err := apps.Tail(s.past, mostFresh, keep)
	s.forget()
	return errors.Join(err, s.send(lines))
}

// follow sends what comes until ctx ends or nobody reads.
func (s *logStream) follow(ctx context.Context, f *followers, chosen followTargets) {
	beat, look := time.NewTicker(control.Beat), time.NewTicker(time.Second)
	defer beat.Stop()
	defer look.Stop()
	keep := chosen.filter(s.stream)
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			if now, failed := f.api.followed(f.targets); failed == nil {
				keep = now.filter(s.stream)
				f.update(ctx, now)
				err = s.fresh(keep)
			}
		case <-beat.C:
			err = s.out.Encode(control.LogEvent{})
		case line := <-f.lines:
			if keep == nil || keep(line) {
				err = s.send([]apps.Line{line})
			}
		}
		if err != nil {
			return
		}
		if len(f.lines) == 0 {
			s.response.Flush()
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
