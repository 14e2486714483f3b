package service

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"roost/apps"
	"roost/service/control"
)

// events sends what happens to the targets' apps, to those included that come
// later, until the reader leaves.
func (a *api) events(c echo.Context) error {
	chosen, err := a.followed(c.QueryParams()["target"])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	f := newFollowers(a, c.QueryParams()["target"], program.Events)
	defer f.close()
	f.update(ctx, chosen)
	c.Response().Header().Set(echo.HeaderContentType, "application/x-ndjson")
	c.Response().WriteHeader(http.StatusOK)
	c.Response().Flush()
	out := json.NewEncoder(c.Response())
	beat, look := time.NewTicker(control.Beat), time.NewTicker(100*time.Millisecond)
	defer beat.Stop()
	defer look.Stop()
	for {
		var e apps.Event
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
		case e = <-f.news:
			if !chosen.shows(e.App, e.Slot) {
				continue
			}
		}
		if out.Encode(e) != nil {
			return nil
		}
		if len(f.news) == 0 {
			c.Response().Flush()
		}
	}
}
