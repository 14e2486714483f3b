package host

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"roost/apps"
)

// Set gives an app's declaration other values for some keys of [[app]], read as
// strictly as those of a file. null takes a key away; the names in env are
// added to those there are, or taken away by null.
func Set(a *apps.Config, keys map[string]json.RawMessage) []Problem {
	var problems []Problem
	d := decoder{problem: func(_, what, hint string) { problems = append(problems, Problem{What: what, Hint: hint}) }}
	fields := map[string]reflect.Value{}
	fieldsOf(reflect.ValueOf(a).Elem(), fields)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		field, known := fields[key]
		value, err := plainJSON(keys[key])
		switch {
		case !known:
			d.unknownKey("app."+key, key, "[[app]]", fields)
		case err != nil:
			d.problem("", key+" is not JSON: "+err.Error(), "")
		case value == nil:
			field.SetZero()
		case field.Kind() == reflect.Map && field.Type() == reflect.TypeFor[map[string]string]():
			d.mergeMap(key, value, field)
		default:
			fresh := reflect.New(field.Type()).Elem()
			d.decode("app.0."+key, value, fresh)
			field.Set(fresh)
		}
	}
	return problems
}

// SetMissing is Set for the keys that a does not have.
func SetMissing(a *apps.Config, keys map[string]json.RawMessage) []Problem {
	fields := map[string]reflect.Value{}
	fieldsOf(reflect.ValueOf(a).Elem(), fields)
	missing := maps.Clone(keys)
	maps.DeleteFunc(missing, func(key string, _ json.RawMessage) bool { return fields[key].IsValid() && !fields[key].IsZero() })
	return Set(a, missing)
}

// mergeMap adds the names of a table to a map, and takes those of null away.
func (d *decoder) mergeMap(key string, value any, into reflect.Value) {
	table, ok := value.(map[string]any)
	if !ok {
		d.wrongType(key, value, into)
		return
	}
	merged, _ := into.Interface().(map[string]string)
	merged = maps.Clone(merged)
	if merged == nil {
		merged = map[string]string{}
	}
	for name, v := range table {
		if v == nil {
			delete(merged, name)
			delete(table, name)
		}
	}
	added := reflect.New(into.Type()).Elem()
	d.decodeMap(key, table, added)
	maps.Copy(merged, added.Interface().(map[string]string))
	into.Set(reflect.ValueOf(merged))
}

// plainJSON reads a JSON value as the plain values that the decoder takes:
// whole numbers as int64.
func plainJSON(text json.RawMessage) (any, error) {
	lines := json.NewDecoder(bytes.NewReader(text))
	lines.UseNumber()
	var v any
	if err := lines.Decode(&v); err != nil {
		return nil, err
	}
	return plain(v), nil
}

func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return v
}
