package pm2

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"roost/service/control"
)

// oneID finds the row of an id.
func (s *session) oneID(word string) (*row, error) {
	rows, err := s.all()
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if strconv.Itoa(rows[i].ID) == word {
			return &rows[i], nil
		}
	}
	return nil, inWords("Error: Process with ID <%s> unknown.", word)
}

func (s *session) send() error {
	if _, err := s.oneID(s.args[0]); err != nil {
		return err
	}
	if err := s.writeLine(s.args[0], s.args[1]); err != nil {
		return err
	}
	return s.done()
}

// writeLine writes a line to the standard input of an id.
func (s *session) writeLine(id, text string) error {
	replies, err := s.client.Input(s.ctx, control.InputRequest{Targets: []string{id}, Text: text + "\n"})
	return errors.Join(err, refusal(replies))
}

// refusal is the first error of replies.
func refusal(replies []control.Reply) error {
	for _, r := range replies {
		if r.Error != "" {
			return fmt.Errorf("%s (%d): %s", r.App, r.ID, r.Error)
		}
	}
	return nil
}

// attach prints what an app prints and hands it the lines of this terminal,
// until these end.
func (s *session) attach() error {
	r, err := s.oneID(s.args[0])
	if err != nil {
		return err
	}
	lines := make(chan string)
	broken := make(chan error, 1)
	go func() {
		defer close(lines)
		in := bufio.NewScanner(s.in)
		for in.Scan() {
			select {
			case lines <- in.Text():
			case <-s.ctx.Done():
				return
			}
		}
		if err := in.Err(); err != nil {
			broken <- fmt.Errorf("cannot read what was typed: %w", err)
		}
	}()
	logs := make(chan error, 1)
	go func() { logs <- s.stream([]row{*r}) }()
	for {
		select {
		case text, more := <-lines:
			if !more {
				select {
				case err := <-broken:
					return err
				default:
					return nil
				}
			}
			if len(s.args) > 1 { // the separator ends a line
				text = strings.TrimSuffix(text, s.args[1])
			}
			if err := s.writeLine(s.args[0], text); err != nil {
				return err
			}
		case err := <-logs:
			return err
		}
	}
}

// trigger has programs do an action that they offer and prints what they return.
func (s *session) trigger() error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	chosen, err := find(rows, s.args[0])
	if err != nil {
		return err
	}
	none := func() error {
		fmt.Fprintln(s.err, "Not any process has received a command (offline or unexistent)")
		return failed
	}
	if len(chosen) == 0 {
		return none()
	}
	r := control.TriggerRequest{Targets: idsOf(chosen), Action: s.args[1]}
	if len(s.args) > 2 {
		r.Param = &s.args[2]
	}
	replies, err := s.client.Trigger(s.ctx, r)
	var refused *control.Error
	if errors.As(err, &refused) && (refused.Code == control.CodeNotFound || refused.Code == control.CodeConflict) {
		return none()
	}
	if err != nil {
		return err
	}
	s.print("%d processes have received command %s", len(replies), s.args[1])
	for _, reply := range replies {
		if reply.Error == "" {
			s.print("[%s:%d:%s]=%s", reply.App, reply.ID, reply.Namespace, reply.Return)
		}
	}
	return refusal(replies)
}

func (s *session) sendSignal() error {
	name, word := s.args[0], s.args[1]
	kind := "process name"
	if _, err := strconv.Atoi(word); err == nil {
		kind = "process id"
	}
	s.say("Sending signal to %s %s", kind, word)
	rows, err := s.all()
	if err != nil {
		return err
	}
	mine := named(rows, word)
	if len(mine) == 0 {
		fmt.Fprintln(s.err, "Unknown "+kind)
		return failed
	}
	if _, err := s.client.Act(s.ctx, control.ActRequest{Verb: control.VerbSignal, Signal: name, Targets: targetsOf(mine)}, nil); err != nil {
		return err
	}
	s.print("successfully sent signal %s to %s %s", name, kind, word)
	return s.done()
}
