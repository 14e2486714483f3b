package apps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNoAction is returned by Trigger for an action that the program has not registered.
	ErrNoAction = errors.New("the program has no such action")

	errNotRunning = errors.New("no program runs")
)

// Message sends m, any JSON value, to the Node program in a slot, or to all
// instances when slot is negative; it gets it by process.on('message'). An
// instance that has not taken hundreds of earlier messages is not sent more.
func (a *App) Message(slot int, m json.RawMessage) error {
	if err := checkMessage(m); err != nil {
		return err
	}
	procs, err := a.procs(slot)
	if err != nil {
		return err
	}
	if len(procs) == 0 {
		return errNotRunning
	}
	var errs []error
	for n, p := range procs {
		if err := p.Talk().send(m); err != nil {
			errs = append(errs, fmt.Errorf("cannot send a message to slot %d: %w", n, err))
		}
	}
	return errors.Join(errs...)
}

// checkMessage refuses what the program would not see as a message.
func checkMessage(m json.RawMessage) error {
	if !json.Valid(m) {
		return errors.New("the message is not JSON")
	}
	var o struct {
		Cmd any `json:"cmd"`
	}
	if json.Unmarshal(m, &o) == nil {
		if cmd, ok := o.Cmd.(string); ok && strings.HasPrefix(cmd, "NODE_") {
			return fmt.Errorf("the message has cmd %q: those that begin with NODE_ are Node's own", cmd)
		}
	}
	return nil
}

// Trigger has the program in a slot do an action that it has registered
// (axm:action), with param when it is not nil, and waits for its answer. When
// the same action is triggered again meanwhile, the answers are taken in order.
// The error is ErrNoAction, ctx's cause, or says why there is no answer.
func (a *App) Trigger(ctx context.Context, slot int, action string, param *string) (json.RawMessage, error) {
	if slot < 0 {
		return nil, errors.New("an action is triggered in one slot")
	}
	procs, err := a.procs(slot)
	if err != nil {
		return nil, err
	}
	p := procs[slot]
	if p == nil {
		return nil, errNotRunning
	}
	answer, forget, err := p.Talk().trigger(action, param)
	if err != nil {
		return nil, err
	}
	defer forget()
	select {
	case value := <-answer:
		return value, nil
	case <-p.Exited():
		return nil, errors.New("the program has ended without an answer")
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// procs are the processes that words to a slot are for, or to all slots when
// slot is negative, by slot: the one that serves, else the one that starts.
func (a *App) procs(slot int) (map[int]proc, error) {
	var procs map[int]proc
	err := a.ask(func() error {
		procs = map[int]proc{}
		for n := range a.slots {
			if slot >= 0 && n != slot {
				continue
			}
			for _, inst := range []*instance{a.slots[n].next, a.slots[n].cur} {
				if inst != nil && inst.proc.PID() != 0 {
					procs[n] = inst.proc
				}
			}
		}
		return nil
	})
	return procs, err
}

// ask has Run call f and returns its error.
func (a *App) ask(f func() error) error {
	c := make(chan error, 1)
	if !a.post(func() { c <- f() }) {
		return ErrEnded
	}
	select {
	case err := <-c:
		return err
	case <-a.done:
		return ErrEnded
	}
}
