package service

import (
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// status says how the whole box stands.
func (a *api) status(echo.Context) (any, error) {
	a.measure.refresh()
	seen := a.box.Look()
	s := control.Status{
		Pong:         a.pong,
		Uptime:       time.Since(a.pong.Started).Seconds(),
		File:         a.file,
		State:        a.dirs.State,
		TLS:          a.dirs.TLS,
		Logs:         a.dirs.Logs,
		Problems:     a.editor.problems(seen),
		Listeners:    seen.listeners,
		Sites:        seen.sites,
		Apps:         a.box.Apps(),
		Certificates: listed(seen.certificates),
		Box:          a.measure.box(),
	}
	// Lists are never null, for those who read the JSON.
	if s.Listeners == nil {
		s.Listeners = []control.Listener{}
	}
	if s.Sites == nil {
		s.Sites = []control.Site{}
	}
	if s.Apps == nil {
		s.Apps = []apps.Status{}
	}
	return s, nil
}

// problems are all that a person must look at now: what went wrong, what is
// wrong with what is wanted, and what the host has to say.
func (e *editor) problems(seen look) []string {
	out := e.troubles.all()
	for _, p := range host.Validate(e.Config()) {
		out = append(out, p.String())
	}
	for _, p := range seen.problems {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// metrics hands out all figures in Prometheus' text format.
func (a *api) metrics(c echo.Context) error {
	a.measure.refresh()
	a.box.Metrics().ServeHTTP(c.Response(), c.Request())
	return nil
}

// stop ends the daemon once the answer is on its way.
func (a *api) stop(c echo.Context) error {
	s := newStream(c.Response())
	defer s.rest()
	err := s.end(struct{}{}, nil)
	a.shutdown(c.QueryParam("again") == "true")
	return err
}
