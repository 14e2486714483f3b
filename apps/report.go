package apps

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// What a program may report of itself, so that it cannot fill our memory.
const (
	maxMetrics     = 200
	maxMetricsSize = 64 << 10 // of names and values, bytes
	maxActions     = 100
	maxActionName  = 200
	maxTriggers    = 100 // waiting for an answer
)

// talk is what is said with a program over its message channel, in PM2's words:
// its metrics (axm:monitor), its actions (axm:action) and their answers
// (axm:reply). A nil one is that of a program without a channel.
type talk struct {
	write func(v any) error // sends a message

	mu      sync.Mutex // guards what follows
	runtime string
	metrics map[string]Metric // replaced, never changed
	sizes   map[string]int    // of the metrics
	size    int
	actions []Action // grows only
	asked   []*asking
}

// asking is a trigger that waits for its answer.
type asking struct {
	action string
	answer chan json.RawMessage // takes one
}

var errNoChannel = errors.New("only Node programs have a message channel")

func (t *talk) send(v any) error {
	if t == nil {
		return errNoChannel
	}
	return t.write(v)
}

// trigger asks for an action as the libraries of PM2 expect it: its name, or
// {msg, opts} when there is something to hand over. forget ends the wait.
func (t *talk) trigger(action string, param *string) (answer <-chan json.RawMessage, forget func(), err error) {
	if t == nil {
		return nil, nil, errNoChannel
	}
	q := &asking{action, make(chan json.RawMessage, 1)}
	forget = func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.asked = slices.DeleteFunc(t.asked, func(o *asking) bool { return o == q })
	}
	t.mu.Lock()
	known := slices.ContainsFunc(t.actions, func(a Action) bool { return a.Name == action })
	full := len(t.asked) >= maxTriggers
	if known && !full {
		t.asked = append(t.asked, q)
	}
	t.mu.Unlock()
	switch {
	case !known:
		return nil, nil, ErrNoAction
	case full:
		return nil, nil, errors.New("the program has not answered many earlier triggers")
	}
	var message any = action
	if param != nil {
		message = map[string]string{"msg": action, "opts": *param}
	}
	if err := t.write(message); err != nil {
		forget()
		return nil, nil, fmt.Errorf("cannot trigger %s: %w", action, err)
	}
	return q.answer, forget, nil
}

func (t *talk) runs(runtime string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runtime = runtime
}

// hear takes a message of the program's; false when it is for others.
func (t *talk) hear(raw json.RawMessage) bool {
	if raw[0] != '{' {
		return false
	}
	var m struct {
		Type        string          `json:"type"`
		Data        json.RawMessage `json:"data"`
		NodeVersion json.RawMessage `json:"node_version"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return false // its type is not a text
	}
	switch {
	case m.Type == "axm:monitor":
		t.measured(m.Data)
	case m.Type == "axm:action":
		t.offered(m.Data)
	case m.Type == "axm:reply":
		t.answered(m.Data)
	case strings.HasPrefix(m.Type, "axm:option:"), m.Type == "" && m.NodeVersion != nil:
		// for PM2's own use
	default:
		return false
	}
	return true
}

func (t *talk) measured(data json.RawMessage) {
	var given map[string]json.RawMessage
	if json.Unmarshal(data, &given) != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sizes == nil {
		t.sizes = map[string]int{}
	}
	next := map[string]Metric{}
	maps.Copy(next, t.metrics)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		m, ok := metricOf(given[name])
		size := len(name) + len(given[name])
		_, known := next[name]
		if !ok || t.size-t.sizes[name]+size > maxMetricsSize || !known && len(next) >= maxMetrics {
			continue
		}
		t.size += size - t.sizes[name]
		next[name], t.sizes[name] = m, size
	}
	t.metrics = next
}

// metricOf reads {value, unit, type}, or a bare value.
func metricOf(raw json.RawMessage) (m Metric, ok bool) {
	var full struct {
		Value      json.RawMessage `json:"value"`
		Unit, Type any
	}
	if raw[0] == '{' {
		if json.Unmarshal(raw, &full) != nil {
			return m, false
		}
		raw = full.Value
		m.Unit, _ = full.Unit.(string)
		m.Type, _ = full.Type.(string)
	}
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, &m.Value) != nil {
		return m, false
	}
	switch m.Value.(type) {
	case map[string]any, []any, bool:
		m.Value = string(raw)
	}
	return m, true
}

func (t *talk) offered(data json.RawMessage) {
	var o struct {
		Name  string `json:"action_name"`
		Type  any    `json:"action_type"`
		Arity any    `json:"arity"`
	}
	if json.Unmarshal(data, &o) != nil || o.Name == "" || len(o.Name) > maxActionName {
		return
	}
	kind, _ := o.Type.(string)
	arity, _ := o.Arity.(float64)
	t.mu.Lock()
	defer t.mu.Unlock()
	action := Action{Name: o.Name, Type: kind[:min(len(kind), maxActionName)], Arity: int(arity)}
	at := slices.IndexFunc(t.actions, func(a Action) bool { return a.Name == o.Name })
	actions := slices.Clone(t.actions)
	if at >= 0 {
		actions[at] = action
	} else if len(actions) < maxActions {
		actions = append(actions, action)
	}
	t.actions = actions
}

func (t *talk) answered(data json.RawMessage) {
	var r struct {
		Name   string          `json:"action_name"`
		Return json.RawMessage `json:"return"`
	}
	if json.Unmarshal(data, &r) != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, q := range t.asked {
		if q.action == r.Name {
			q.answer <- r.Return
			t.asked = slices.Delete(t.asked, i, i+1)
			return
		}
	}
}

// fill writes what the program has reported into its row.
func (t *talk) fill(in *Instance) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	in.Runtime, in.Metrics, in.Actions = t.runtime, t.metrics, t.actions
}
