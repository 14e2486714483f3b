package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"roost/apps"
	"roost/service/control"
)

// input writes to the standard input of instances.
func (a *api) input(_ context.Context, r asked[control.InputRequest]) ([]control.Reply, error) {
	return a.each(r.Request.Targets, func(p program, i apps.Instance) (json.RawMessage, error) {
		return nil, p.Input(i.Slot, []byte(r.Request.Text))
	})
}

// each does something to every instance of the targets that runs, to all of
// them at a time, and tells what each has answered. It fails when none runs.
func (a *api) each(targets []string, do func(p program, i apps.Instance) (json.RawMessage, error)) ([]control.Reply, error) {
	config := a.editor.Config()
	chosen, err := choose(config, control.ActRequest{Verb: "talk", Targets: targets})
	if err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(a.rows(chosen), func(i apps.Instance) bool { return i.PID == 0 || i.State == apps.StateDraining })
	rows = slices.CompactFunc(rows, func(x, y apps.Instance) bool { return x.ID == y.ID })
	if len(rows) == 0 {
		return nil, &control.Error{
			Code: control.CodeConflict, Message: fmt.Sprintf("nothing of %s runs", strings.Join(targets, " ")),
			Hint: "start it: roost start " + strings.Join(namesOf(config, chosen), " "),
		}
	}
	replies := make([]control.Reply, len(rows))
	var told sync.WaitGroup
	for n, row := range rows {
		replies[n] = control.Reply{App: row.App, Namespace: row.Namespace, ID: row.ID}
		told.Go(func() {
			err := errors.New("the app has been deleted")
			if p := a.box.App(row.App); p != nil {
				replies[n].Return, err = do(p, row)
			}
			if err != nil {
				replies[n].Error = oneLine(err)
			}
		})
	}
	told.Wait()
	return replies, nil
}
