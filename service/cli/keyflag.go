package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"roost/apps"
	"roost/host"

	"github.com/google/shlex"
)

// keyFlag is a flag whose value becomes that of a key of [[app]], read as in a
// config file. The value "null" takes the key away, as in PM2.
type keyFlag struct {
	*appFlag
	f *appFlags
}

// reading makes the value of a key of a flag's text.
type reading struct {
	kind  string // as help calls it; empty: the name in its text
	alone string // the text of a flag without one; empty: it needs one
	// value is given what the key has by now, nil at first.
	value func(s string, before any) (any, error)
}

var (
	text      = reading{"text", "", func(s string, _ any) (any, error) { return s, nil }}
	number    = reading{"int", "", func(s string, _ any) (any, error) { return whole(s), nil }}
	yes       = reading{"bool", "true", func(s string, _ any) (any, error) { return strconv.ParseBool(s) }}
	no        = reading{"bool", "true", func(s string, _ any) (any, error) { b, err := strconv.ParseBool(s); return !b, err }}
	list      = reading{"text", "", func(s string, before any) (any, error) { return append(listed(before), s), nil }}
	textOrYes = reading{"text", "true", func(s string, _ any) (any, error) {
		if b, err := strconv.ParseBool(s); err == nil {
			return b, nil
		}
		return s, nil
	}}
	listOrYes = reading{"text", "true", func(s string, before any) (any, error) {
		if b, err := strconv.ParseBool(s); err == nil {
			return b, nil
		}
		return append(listed(before), s), nil
	}}
	someOrAll = reading{"text", "", listOrYes.value}
	folder    = reading{"folder", "", func(s string, _ any) (any, error) { return filepath.Abs(s) }}
	numbers   = reading{"ints", "", func(s string, before any) (any, error) {
		all := listed(before)
		for one := range strings.SplitSeq(s, ",") {
			all = append(all, whole(strings.TrimSpace(one)))
		}
		return all, nil
	}}
	shell = reading{"text", "", func(s string, before any) (any, error) {
		split, err := shlex.Split(s)
		if err != nil {
			return nil, fmt.Errorf("cannot split %q into words; close the quote", s)
		}
		all := listed(before)
		for _, word := range split {
			all = append(all, word)
		}
		return all, nil
	}}
	cron = reading{"times", "", func(s string, _ any) (any, error) {
		if s == "0" || s == "" {
			return nil, nil
		}
		return s, nil
	}}
	pair = reading{"pair", "", func(s string, before any) (any, error) {
		name, value, _ := strings.Cut(s, "=")
		return with(before, s, name, value)
	}}
	conditions = reading{"text", "", func(s string, before any) (any, error) {
		name, condition := s, apps.DependReady
		for _, c := range []string{apps.DependStarted, apps.DependReady, apps.DependCompleted} {
			if rest, ok := strings.CutSuffix(s, ":"+c); ok { // a name may have a colon in it
				name, condition = rest, c
			}
		}
		return with(before, s, name, condition)
	}}
)

// whole is a number where s is one; what is none is refused by the key.
func whole(s string) any {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return s
}

func listed(before any) []any {
	all, _ := before.([]any)
	return all
}

// with adds a name and its value, which s says, to a table.
func with(before any, s, name, value string) (any, error) {
	table, ok := before.(map[string]any)
	if !ok {
		table = map[string]any{}
	}
	if name == "" {
		return nil, fmt.Errorf("%q has no name", s)
	}
	table[name] = value
	return table, nil
}

func (k keyFlag) Set(s string) error {
	if k.key == "env" && !strings.Contains(s, "=") && s != "null" {
		k.f.tables = append(k.f.tables, s)
		return nil
	}
	var value any
	if s != "null" {
		var before any
		if given, ok := k.f.set[k.key]; ok {
			if err := json.Unmarshal(given, &before); err != nil {
				return err
			}
		}
		var err error
		if value, err = k.read.value(s, before); err != nil {
			var number *strconv.NumError
			if errors.As(err, &number) {
				return errors.New("neither true nor false")
			}
			return err
		}
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if problems := host.Set(&apps.Config{}, map[string]json.RawMessage{k.key: encoded}); len(problems) > 0 {
		return errors.New(strings.TrimSuffix(problems[0].String(), ": leave out the quotes"))
	}
	if k.f.set == nil {
		k.f.set = map[string]json.RawMessage{}
	}
	k.f.set[k.key] = encoded
	return nil
}

func (k keyFlag) Type() string { return k.read.kind }

// String is the default, which no flag has.
func (k keyFlag) String() string { return "" }
