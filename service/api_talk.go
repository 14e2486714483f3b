package service

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

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
			Code: control.CodeConflict, Message: fmt.Sprintf("nothing of %s runs", strings.Join(apps.ShowNames(targets), " ")),
			Hint: "start it: roost start " + strings.Join(apps.ShowNames(namesOf(config, chosen)), " "),
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

// message sends Node programs a message.
func (a *api) message(_ context.Context, r asked[control.MessageRequest]) ([]control.Reply, error) {
	if !json.Valid(r.Request.Message) {
		return nil, &control.Error{Code: control.CodeInvalid, Message: "the message is not JSON", Hint: `a text needs its own quotes: '"refresh"'`}
	}
	return a.each(r.Request.Targets, func(p program, i apps.Instance) (json.RawMessage, error) {
		return nil, p.Message(i.Slot, r.Request.Message)
	})
}

const (
	answerTimeout = 10 * time.Second // for an action, when the request does not say
	mostAnswer    = time.Hour        // that a request may say
)

// trigger has programs do an action and returns what those answer that know it.
func (a *api) trigger(ctx context.Context, r asked[control.TriggerRequest]) ([]control.Reply, error) {
	timeout := cmp.Or(r.Request.Timeout, answerTimeout)
	if timeout < 0 || timeout > mostAnswer {
		return nil, &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("%v is no time to wait for an answer", timeout), Hint: fmt.Sprintf("at most %v", mostAnswer)}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %v", timeout))
	defer cancel()
	unknown := errors.New("unknown")
	replies, err := a.each(r.Request.Targets, func(p program, i apps.Instance) (json.RawMessage, error) {
		answer, err := p.Trigger(ctx, i.Slot, r.Request.Action, r.Request.Param)
		if errors.Is(err, apps.ErrNoAction) {
			return nil, unknown
		}
		return answer, err
	})
	if err != nil {
		return nil, err
	}
	replies = slices.DeleteFunc(replies, func(r control.Reply) bool { return r.Error == unknown.Error() })
	if len(replies) == 0 {
		return nil, a.noAction(r.Request)
	}
	return replies, nil
}

// noAction says which actions there are instead of the one that nobody knows.
func (a *api) noAction(r control.TriggerRequest) error {
	e := &control.Error{
		Code: control.CodeNotFound, Message: fmt.Sprintf("no instance of %s knows the action %q", strings.Join(apps.ShowNames(r.Targets), " "), r.Action),
		Hint: "programs register actions by the message axm:action, as @pm2/io does",
	}
	config := a.editor.Config()
	chosen, err := resolve(config, r.Targets)
	if err != nil {
		return err
	}
	var names []string
	for _, i := range a.rows(chosen) {
		for _, action := range i.Actions {
			names = append(names, action.Name)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > 0 {
		e.Hint = "known are " + strings.Join(names, ", ")
	}
	return e
}
