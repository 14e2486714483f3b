//go:build unix

package apps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roost/internal/testcache"
)

func TestMessagesReachTheProgramAsTheyAreSent(t *testing.T) {
	a := live(t)
	w := a.node("app.js", answering+`server.listen(0)
		process.on('message', (m) => console.log(JSON.stringify(m)))`, 2)
	w.Serves = true
	a.want(w)
	for _, m := range []string{`{"id":1,"type":"process:msg","topic":true,"data":{"a":[1]}}`, `"hello"`, `7`} {
		if err := a.Message(1, json.RawMessage(m)); err != nil {
			t.Fatal(err)
		}
		a.logged(t, 1, m)
	}
	if err := a.Message(-1, json.RawMessage(`"all"`)); err != nil {
		t.Fatal(err)
	}
	a.logged(t, 0, `"all"`)
	a.logged(t, 1, `"all"`)
	for m, want := range map[string]string{
		`{`:                      "the message is not JSON",
		`{"cmd":"NODE_CLUSTER"}`: `the message has cmd "NODE_CLUSTER": those that begin with NODE_ are Node's own`,
	} {
		if err := a.Message(0, json.RawMessage(m)); err == nil || err.Error() != want {
			t.Errorf("Message(%s) = %v, want %s", m, err, want)
		}
	}
	if err := a.Message(7, json.RawMessage(`1`)); err == nil {
		t.Error("there is no slot 7")
	}
}

// logged waits for a line on a slot's stdout.
func (a *liveApp) logged(t *testing.T, slot int, text string) {
	t.Helper()
	eventually(t, fmt.Sprintf("slot %d says %s", slot, text), func() bool {
		past := a.History()
		defer past.Close()
		lines, _ := Tail([]*History{past}, 100, func(l Line) bool { return l.Slot == slot && l.Text == text })
		return len(lines) > 0
	})
}

func TestAProgramWithoutAChannelTakesNoMessage(t *testing.T) {
	a := live(t)
	w := a.sh("exec sleep 100")
	w.MinUptime = unitOf(time.Millisecond)
	a.want(w)
	if err := a.Message(0, json.RawMessage(`1`)); err == nil || !errors.Is(err, errNoChannel) {
		t.Errorf("Message = %v", err)
	}
	if _, err := a.Trigger(t.Context(), 0, "x", nil); !errors.Is(err, errNoChannel) {
		t.Errorf("Trigger = %v", err)
	}
}

func TestMetricsAndActionsOfPM2sLibrary(t *testing.T) {
	a := live(t)
	if err := os.Symlink(filepath.Join(testcache.NPM(t, "testdata/npm"), "node_modules"), filepath.Join(a.dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	w := a.node("app.js", answering+`server.listen(0)
		const pmx = require('@pm2/io')
		pmx.metric({ name: 'users online', value: () => 42, unit: 'users' })
		const hits = pmx.counter({ name: 'hits' })
		hits.inc()
		pmx.action('greet', (reply) => reply({ hello: 'you' }))
		pmx.action('echo', (param, reply) => reply(param + '!'))`, 1)
	w.Serves = true
	a.want(w)
	eventually(t, "metrics and actions are known", func() bool {
		in := a.instance(0)
		return in.Metrics["users online"] == Metric{Value: 42.0, Unit: "users"} && in.Metrics["hits"].Value == 1.0 && len(in.Actions) > 1
	})
	in := a.instance(0)
	if _, ok := in.Metrics["Heap Usage"]; !ok || !strings.HasPrefix(in.Runtime, "node v") {
		t.Errorf("metrics %+v, runtime %q", in.Metrics, in.Runtime)
	}
	param := "hi"
	for _, try := range []struct {
		action string
		param  *string
		want   string
	}{{"greet", nil, `{"hello":"you"}`}, {"echo", &param, `"hi!"`}} {
		got, err := a.Trigger(t.Context(), 0, try.action, try.param)
		if err != nil || string(got) != try.want {
			t.Errorf("Trigger(%s) = %s, %v, want %s", try.action, got, err, try.want)
		}
	}
	if _, err := a.Trigger(t.Context(), 0, "unknown", nil); !errors.Is(err, ErrNoAction) {
		t.Errorf("Trigger of what is not there = %v", err)
	}
}

func TestATriggerWithoutAnAnswerEndsWithItsContextAndWithTheProgram(t *testing.T) {
	a := live(t)
	w := a.node("app.js", answering+`server.listen(0)
		process.send({ type: 'axm:action', data: { action_name: 'silent', action_type: 'custom', arity: 1 } })
		process.send({ type: 'axm:action', data: { action_name: 'exit' } })
		process.on('message', (m) => { if (m === 'exit') process.exit(3) })`, 1)
	w.Serves = true
	a.want(w)
	eventually(t, "the actions are known", func() bool { return len(a.instance(0).Actions) == 2 })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := a.Trigger(ctx, 0, "silent", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Trigger = %v", err)
	}
	if _, err := a.Trigger(t.Context(), 0, "exit", nil); err == nil || err.Error() != "the program has ended without an answer" {
		t.Errorf("Trigger = %v", err)
	}
}

func TestWhatAProgramReportsIsBounded(t *testing.T) {
	said := &talk{write: func(any) error { return nil }}
	for i := range 1000 {
		said.hear(json.RawMessage(fmt.Sprintf(`{"type":"axm:monitor","data":{"m%d":{"value":%d}}}`, i, i)))
		said.hear(json.RawMessage(fmt.Sprintf(`{"type":"axm:action","data":{"action_name":"a%d"}}`, i)))
	}
	var in Instance
	said.fill(&in)
	if len(in.Metrics) != maxMetrics || len(in.Actions) != maxActions {
		t.Errorf("%d metrics, %d actions", len(in.Metrics), len(in.Actions))
	}
	said = &talk{}
	big := strings.Repeat("x", 40<<10)
	said.hear(json.RawMessage(fmt.Sprintf(`{"type":"axm:monitor","data":{"a":{"value":%q},"b":{"value":%q},"c":1}}`, big, big)))
	said.hear(json.RawMessage(`{"type":"axm:monitor","data":{"c":{"value":2,"unit":3},"d":null,"e":{"value":[1]}}}`))
	said.fill(&in)
	if in.Metrics["a"].Value != big || len(in.Metrics) != 3 || in.Metrics["c"].Value != 2.0 || in.Metrics["e"].Value != "[1]" {
		t.Errorf("%d metrics kept, c = %+v, e = %+v", len(in.Metrics), in.Metrics["c"], in.Metrics["e"])
	}
}

func TestEventsTellTheLifeOfAnInstanceAndItsMessages(t *testing.T) {
	a := live(t)
	events, stop := a.o.Events.Follow()
	defer stop()
	w := a.node("app.js", answering+`server.listen(0, () => process.send({ type: 'process:msg', data: { ok: true } }))`, 1)
	w.Serves, w.MinUptime = true, unitOf(time.Millisecond)
	a.want(w)
	pid := a.instance(0).PID
	take := func(kinds ...string) (all []Event) {
		for _, kind := range kinds {
			e := within(t, kind, events)
			if e.Kind != kind || e.App != "web" || e.Namespace != "default" || e.Time.IsZero() {
				t.Fatalf("event %+v, want %s", e, kind)
			}
			all = append(all, e)
		}
		return all
	}
	seen := map[string]Event{} // ready and the message come in any order
	for range 3 {
		e := within(t, "event", events)
		seen[e.Kind] = e
	}
	if seen[EventStart].PID != pid || seen[EventReady].PID != pid || string(seen[EventMessage].Data) != `{"type":"process:msg","data":{"ok":true}}` {
		t.Errorf("events %+v, pid %d", seen, pid)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	process.Kill()
	got := take(EventExit, EventRestart, EventStart)
	if got[0].PID != pid || got[0].Reason != "was ended by SIGKILL" || got[1].Reason != "was ended by SIGKILL" {
		t.Errorf("events %+v", got)
	}
	for range 2 {
		within(t, "ready and message", events)
	}
	w.Slots[0].Stopped = true
	a.want(w)
	take(EventStop, EventExit)
	if in := a.instance(0); in.PID != 0 || in.State != StateStopped { // who hears of something sees what has come of it
		t.Errorf("after the event of its exit the instance is %+v", in)
	}
	a.stop()
	if len(events) > 0 {
		t.Errorf("an event after the last: %+v", <-events)
	}
}

func TestASlotThatKeepsFailingIsErroredOnce(t *testing.T) {
	a := live(t)
	events, stop := a.o.Events.Follow()
	defer stop()
	w := a.sh("exit 3")
	w.MaxRestarts, w.ExpBackoff = 2, unitOf(time.Millisecond)
	a.Want(w)
	errored := Event{}
	for errored.Kind != EventErrored {
		errored = within(t, "errored", events)
	}
	if errored.Reason != "exited with status 3" {
		t.Errorf("event %+v", errored)
	}
}

func TestASlowReaderOfEventsLosesThemAndHoldsNobodyUp(t *testing.T) {
	var s EventStream
	events, stop := s.Follow()
	for range 10 * maxEvents {
		s.Tell(Event{Kind: EventMessage, Data: make([]byte, maxEventData+1)})
	}
	if e := <-events; e.Data != nil || !strings.Contains(e.Reason, "too long") || len(events) != maxEvents-1 {
		t.Errorf("event %+v, %d wait", e, len(events))
	}
	stop()
	stop()
}
