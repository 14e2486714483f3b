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
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	b.eventsOf("mail") <- apps.Event{App: "mail", Kind: apps.EventExit}
	b.eventsOf("web") <- apps.Event{App: "web", Slot: 0, Kind: apps.EventReady}
	b.eventsOf("web") <- apps.Event{App: "web", Slot: 1, ID: 1, Kind: apps.EventExit, Reason: "exited with status 1"}
	err := d.Events(ctx, []string{"1"}, func(e apps.Event) error {
		if e.ID != 1 || e.Reason != "exited with status 1" {
			t.Errorf("got %+v", e)
		}
		cancel()
		return nil
	})
	if err != nil || ctx.Err() != context.Canceled {
		t.Errorf("events of one instance: %v", err)
	}

	// An app that comes later is followed too.
	ctx, cancel = context.WithTimeout(t.Context(), limit)
	defer cancel()
	b.eventsOf("new") <- apps.Event{App: "new", Kind: apps.EventStart}
	seen := make(chan string, 1)
	go d.Events(ctx, nil, func(e apps.Event) error {
		if e.App == "new" {
			seen <- e.Kind
			cancel()
		}
		return nil
	})
	if _, err := d.Start(t.Context(), newApp("new", b.last().Apps[0].Script, 1), nil); err != nil {
		t.Fatal(err)
	}
	select {
	case kind := <-seen:
		if kind != apps.EventStart {
			t.Errorf("saw %s", kind)
		}
	case <-time.After(limit):
		t.Error("the event of an app that came later was not seen")
	}
	err = d.Events(t.Context(), []string{"wbe"}, func(apps.Event) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "wbe") {
		t.Errorf("events of nobody: %v", err)
	}
}
