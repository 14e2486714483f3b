package pm2

import (
	"fmt"
	"strconv"
)

// processes are all rows as jlist has them.
func (s *session) processes() ([]any, error) {
	rows, err := s.all()
	if err != nil {
		return nil, err
	}
	out := make([]any, len(rows))
	for i := range rows {
		out[i] = s.process(&rows[i])
	}
	return out, nil
}

func (s *session) jlist() error {
	list, err := s.processes()
	if err != nil {
		return err
	}
	text, err := plainJSON(list)
	if err != nil {
		return err
	}
	_, err = s.out.Write(text)
	return err
}

func (s *session) prettyList() error {
	list, err := s.processes()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, inspect(list))
	return err
}

func (s *session) pid() error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	if len(s.args) > 0 {
		if rows = named(rows, s.args[0]); len(rows) == 0 {
			s.print("")
		}
	}
	for i := range rows {
		s.print("%d", rows[i].PID)
	}
	return nil
}

func (s *session) id() error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	s.print("%s", idList(named(rows, s.args[0])))
	return nil
}

// env prints the environment of what has this id, as it was started; of one
// that does not run what it would get.
func (s *session) env() error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	mine := named(rows, s.args[0])
	if len(mine) == 0 {
		return inWords("Modules with id %s not found", s.args[0])
	}
	r := &mine[0]
	for _, m := range s.pm2Env(r) {
		if text, ok := scalar(m.value); ok {
			s.print("%s: %s", m.key, text)
		}
	}
	return nil
}

// scalar writes what is neither a list nor an object.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case object, []any:
		return "", false
	}
	return fmt.Sprint(v), true
}
