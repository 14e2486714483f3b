package service

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// events sends what happens to the targets' instances, to those included that
// come later, until the reader leaves; without targets, to certificates too.
func (a *api) events(c echo.Context) error {
	events, stop := a.box.Events()
	defer stop()
	meant, err := eventsOf(a.editor.Config(), c.QueryParams()["target"])
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentType, "application/x-ndjson")
	c.Response().WriteHeader(http.StatusOK)
	c.Response().Flush()
	out := json.NewEncoder(c.Response())
	beat := time.NewTicker(control.Beat)
	defer beat.Stop()
	for {
		var e apps.Event // of no kind: a sign of life
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-beat.C:
		case e = <-events:
			if !meant(e) {
				continue
			}
		}
		if out.Encode(e) != nil {
			return nil
		}
		if len(events) == 0 {
			c.Response().Flush()
		}
	}
}

// eventsOf says which events targets mean, all when there are none. An event
// tells by itself whose it is, so apps are known that are only being added.
func eventsOf(c host.Config, targets []string) (func(apps.Event) bool, error) {
	if _, err := resolve(c, targets); err != nil {
		return nil, err
	}
	meant := func(apps.Event) bool { return len(targets) == 0 }
	for _, word := range targets {
		before := meant
		match, err := matcher(c, word)
		if err != nil {
			return nil, err
		}
		id, wrong := strconv.Atoi(word)
		numeric := wrong == nil && c.App(word) == nil
		meant = func(e apps.Event) bool {
			return e.Certificate == "" && (before(e) || match(e.App, e.Namespace) || numeric && e.ID == id)
		}
	}
	return meant, nil
}
