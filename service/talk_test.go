package service

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"roost/apps"
	"roost/service/control"
)

func TestMessagesAndActionsReachEveryInstance(t *testing.T) {
	d, b := three(t)
	ctx := t.Context()
	replies, err := d.Message(ctx, control.MessageRequest{Targets: []string{"web"}, Message: json.RawMessage(`{"a":1}`)})
	b.mu.Lock()
	touched := slices.Sorted(slices.Values(b.touched))
	b.mu.Unlock()
	if err != nil || len(replies) != 2 || !slices.Equal(touched, []string{`message {"a":1} to slot 0 of web`, `message {"a":1} to slot 1 of web`}) {
		t.Errorf("message: %+v, %v, %q", replies, err, touched)
	}
	_, err = d.Message(ctx, control.MessageRequest{Targets: []string{"wbe"}, Message: json.RawMessage(`1`)})
	wantError(t, "a message for nobody", err, control.CodeNotFound, "did you mean web?")

	param := "loud"
	replies, err = d.Trigger(ctx, control.TriggerRequest{Targets: []string{"web"}, Action: "say", Param: &param})
	if err != nil || len(replies) != 2 || string(replies[1].Return) != `{"slot":1,"param":"loud"}` {
		t.Errorf("trigger: %+v, %v", replies, err)
	}
	if replies, err = d.Trigger(ctx, control.TriggerRequest{Targets: []string{"web"}, Action: "one"}); err != nil || len(replies) != 1 || replies[0].ID != 0 {
		t.Errorf("an action of one instance: %+v, %v", replies, err)
	}
	replies, err = d.Trigger(ctx, control.TriggerRequest{Targets: []string{"mail"}, Action: "hang", Timeout: 20 * time.Millisecond})
	if err != nil || len(replies) != 1 || replies[0].Error != "no answer within 20ms" {
		t.Errorf("no answer: %+v, %v", replies, err)
	}
	_, err = d.Trigger(ctx, control.TriggerRequest{Targets: []string{"web"}, Action: "dance"})
	wantError(t, "an unknown action", err, control.CodeNotFound, "axm:action")
	_, err = d.Trigger(ctx, control.TriggerRequest{Targets: []string{"web"}, Action: "say", Timeout: -1})
	wantError(t, "no time", err, control.CodeInvalid, "at most")
}

func TestEventsAreThoseOfTheTargets(t *testing.T) {
	d, b := three(t)
	b.mu.Lock()
	b.happens = []apps.Event{
		{App: "web", Namespace: "default", ID: 0, Kind: apps.EventReady},
		{App: "web", Namespace: "default", ID: 1, Slot: 1, Kind: apps.EventExit},
		{App: "mail", Namespace: "back", ID: 3, Kind: apps.EventExit},
		{App: "new", Namespace: "back", ID: 7, Kind: apps.EventStart}, // only being added
	}
	b.mu.Unlock()
	for _, c := range []struct {
		targets []string
		want    []int
	}{
		{nil, []int{0, 1, 3, 7}},
		{[]string{"1"}, []int{1}},
		{[]string{"web"}, []int{0, 1}},
		{[]string{"3", "/^w/"}, []int{0, 1, 3}},
		{[]string{"back"}, []int{3, 7}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		var got []int
		err := d.Events(ctx, c.targets, func(e apps.Event) error {
			if got = append(got, e.ID); len(got) == len(c.want) {
				cancel()
			}
			return nil
		})
		if err != nil || !slices.Equal(got, c.want) || ctx.Err() != context.Canceled {
			t.Errorf("events of %q: %v, %v; want those of %v", c.targets, got, err, c.want)
		}
		cancel()
	}
	err := d.Events(t.Context(), []string{"wbe"}, func(apps.Event) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "wbe") {
		t.Errorf("events of nobody: %v", err)
	}
}
