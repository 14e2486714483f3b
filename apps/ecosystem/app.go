package ecosystem

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Options say how Normal reads an app.
type Options struct {
	// Env chooses the env_<name> table; none when empty.
	Env string
	// Folder is that of the file, absolute: relative folders start there.
	Folder string
	// Foreign says that the file is PM2's: a "command" there is a script, too.
	Foreign bool
}

// Problem is something wrong with a key, by the name it was written with.
type Problem struct{ Key, What, Hint string }

// Normalised is an app in the keys of [[app]].
type Normalised struct {
	Table map[string]any
	// From are the paths that keys were written at, where they are called
	// otherwise: "out_file" from "output", "env.PORT" from "env_production.PORT".
	From map[string]string
	// Idle are the keys, as they were written, that have nothing to do here.
	Idle []string
	// Envs are the names of its env_<name> tables.
	Envs     []string
	Problems []Problem
}

// Normal gives the table of an app, of an ecosystem file or of roost.toml, the
// keys of [[app]] and values of their types, as far as PM2's differ. Keys that
// neither knows stay, for the reader to refuse.
func Normal(table map[string]any, o Options) Normalised {
	n := &normaliser{o: o, out: Normalised{Table: map[string]any{}, From: map[string]string{}}}
	n.keys(table)
	n.environment()
	n.values()
	n.name()
	return n.out
}

type normaliser struct {
	o   Options
	out Normalised
	env map[string]map[string]any // by name
}

func (n *normaliser) wrong(key, what, hint string) {
	if from, ok := n.out.From[key]; ok {
		key = from
	}
	n.out.Problems = append(n.out.Problems, Problem{key, what, hint})
}

// keys gives each key its one name.
func (n *normaliser) keys(table map[string]any) {
	n.env = map[string]map[string]any{}
	for _, written := range slices.Sorted(maps.Keys(table)) {
		value := table[written]
		key := snake(written)
		if to, ok := aliases[key]; ok {
			key = to
		}
		if n.o.Foreign && key == "command" {
			key = "script"
		}
		if value == nil {
			continue // as absent, as in PM2
		}
		if idle[key] {
			n.out.Idle = append(n.out.Idle, written)
			continue
		}
		if name, ok := envTable(key); ok {
			if n.env[name], ok = value.(map[string]any); !ok {
				n.wrong(written, fmt.Sprintf("%s wants a table, not %s", written, nameOf(value)), `write variables and their values: { NODE_ENV: "production" }`)
			} else if name == n.o.Env {
				n.out.From["env_"+name] = written
			}
			continue
		}
		if before, twice := n.out.Table[key]; twice {
			if other := n.written(key); !equal(before, value) {
				n.out.Problems = append(n.out.Problems, Problem{written, fmt.Sprintf("%s and %s are the same key", other, written), "remove one of them"})
			}
			continue
		}
		n.out.Table[key] = value
		if key != written {
			n.out.From[key] = written
		}
	}
}

// written is the name that a key was written with.
func (n *normaliser) written(key string) string {
	if from, ok := n.out.From[key]; ok {
		return from
	}
	return key
}

func equal(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// environment puts the chosen table over env, and makes texts of what lies
// deeper, as PM2 does.
func (n *normaliser) environment() {
	n.out.Envs = slices.Sorted(maps.Keys(n.env))
	more := n.env[n.o.Env]
	env, ok := n.out.Table["env"].(map[string]any)
	if n.out.Table["env"] != nil && !ok {
		return // the reader says so
	}
	merged := map[string]any{}
	maps.Copy(merged, env)
	table := n.out.From["env_"+n.o.Env]
	delete(n.out.From, "env_"+n.o.Env)
	for name, value := range more {
		merged[name] = value
		n.out.From["env."+name] = table + "." + name
	}
	for name, value := range merged {
		switch value.(type) {
		case map[string]any, []any:
			var text bytes.Buffer
			out := json.NewEncoder(&text)
			out.SetEscapeHTML(false)
			if out.Encode(value) == nil {
				merged[name] = strings.TrimSuffix(text.String(), "\n")
			}
		}
	}
	if port := n.out.Table["port"]; n.o.Foreign && port != nil && n.out.Table["increment_var"] == "PORT" {
		merged["PORT"] = port // where the first instance listens, and not all of them
		delete(n.out.Table, "port")
	}
	if len(merged) > 0 {
		n.out.Table["env"] = merged
	}
}

// values gives values the types that keys have here.
func (n *normaliser) values() {
	t := n.out.Table
	if n.flag("execute_command") {
		t["exec_mode"] = "fork"
	}
	if mode, ok := t["exec_mode"].(string); ok {
		switch mode = strings.TrimSuffix(mode, "_mode"); mode {
		case "fork", "cluster":
			t["exec_mode"] = mode
		default:
			n.wrong("exec_mode", fmt.Sprintf("%s is %q", n.written("exec_mode"), t["exec_mode"]), `want "cluster" or "fork"`)
			delete(t, "exec_mode")
		}
	}
	if n.flag("disable_source_map_support") {
		t["source_map_support"] = false
	}
	for _, key := range []string{"args", "node_args"} {
		if list, ok := t[key].([]any); ok {
			list = slices.Clone(list)
			for i, e := range list {
				list[i] = plainText(e)
			}
			t[key] = list
		}
	}
	for _, key := range []string{"user", "gid"} {
		t[key] = plainText(t[key])
	}
	for _, key := range []string{"port", "max_restarts"} {
		t[key] = wholeNumber(t[key])
	}
	switch codes := t["stop_exit_codes"].(type) {
	case []any:
		codes = slices.Clone(codes)
		for i, code := range codes {
			codes[i] = wholeNumber(code)
		}
		t["stop_exit_codes"] = codes
	case int64, string:
		t["stop_exit_codes"] = []any{wholeNumber(codes)}
	}
	switch t["cron_restart"] {
	case int64(0), "0", false, "": // PM2's ways to have none
		delete(t, "cron_restart")
	}
	n.server()
	n.program()
	maps.DeleteFunc(t, func(_ string, v any) bool { return v == nil })
}

// flag takes a key that is true or false away and says whether it is true.
func (n *normaliser) flag(key string) bool {
	value, ok := n.out.Table[key]
	delete(n.out.Table, key)
	on, isBool := value.(bool)
	if ok && !isBool {
		n.wrong(key, fmt.Sprintf("%s wants true or false, not %s", n.written(key), nameOf(value)), "")
	}
	return on
}

// plainText makes a text of a number or a truth value.
func plainText(v any) any {
	switch v := v.(type) {
	case int64, bool:
		return fmt.Sprint(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return v
}

// wholeNumber makes a number of a text that is one.
func wholeNumber(v any) any {
	if s, ok := v.(string); ok {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
	}
	return v
}

func nameOf(v any) string {
	switch v := v.(type) {
	case string:
		return "the text " + strconv.Quote(v)
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return fmt.Sprint(v)
}
