package host

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decoder fills structs from the plain values of a config file (maps, lists,
// texts, numbers), whatever its syntax was. It is strict: a key that no field
// carries and a value of another type are problems, and it goes on after each.
// So is 0 where a field takes that for absent; where 0 is an answer the field is
// a pointer. (Those of apps are as PM2 has them.)
type decoder struct {
	// problem is told of what is wrong at a path such as "site.0.root".
	problem func(path, what, hint string)
	// section is how messages call the table at a path; sectionOf when nil.
	section func(path string) string
	// also are other names of an app's keys, for hints.
	also []string
}

// selfDecoding types read themselves from a plain value. Their errors read
// "what" or "what; hint".
type selfDecoding interface{ Decode(v any) error }

func (d *decoder) decode(path string, v any, into reflect.Value) {
	if self, ok := into.Addr().Interface().(selfDecoding); ok {
		if err := self.Decode(v); err != nil {
			what, hint, _ := strings.Cut(err.Error(), "; ")
			if rest, wants := strings.CutPrefix(what, "want "); wants && hint == "" {
				what, hint = "wrong type", "want "+rest
			}
			if !strings.HasPrefix(what, keyOf(path)+" ") {
				what = keyOf(path) + ": " + what
			}
			d.problem(path, what, hint)
		}
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(into.Type().Elem())
		if s, ok := fresh.Interface().(interface{ switchOff() }); ok && v == false {
			s.switchOff()
		} else {
			d.decode(path, v, fresh.Elem())
		}
		into.Set(fresh)
	case reflect.Struct:
		d.decodeStruct(path, v, into)
	case reflect.Slice:
		list, ok := v.([]any)
		if !ok {
			d.wrongType(path, v, into)
			return
		}
		fresh := reflect.MakeSlice(into.Type(), len(list), len(list))
		for i, e := range list {
			d.decode(join(path, strconv.Itoa(i)), e, fresh.Index(i))
		}
		into.Set(fresh)
	case reflect.Map:
		d.decodeMap(path, v, into)
	case reflect.String:
		if s, ok := v.(string); ok {
			into.SetString(s)
			return
		}
		d.wrongType(path, v, into)
	case reflect.Bool:
		if b, ok := v.(bool); ok {
			into.SetBool(b)
			return
		}
		d.wrongType(path, v, into)
	case reflect.Int, reflect.Int64:
		n, ok := wholeNumber(v)
		if !ok {
			d.wrongType(path, v, into)
			return
		}
		into.SetInt(n)
	default:
		panic(fmt.Sprintf("host: config field %s has a type that cannot be decoded: %s", path, into.Type()))
	}
}

func (d *decoder) decodeStruct(path string, v any, into reflect.Value) {
	table, ok := v.(map[string]any)
	if !ok {
		d.wrongType(path, v, into)
		return
	}
	fields := map[string]reflect.Value{}
	fieldsOf(into, fields)
	for key, value := range table {
		field, ok := fields[key]
		if !ok {
			section := sectionOf
			if d.section != nil {
				section = d.section
			}
			d.unknownKey(join(path, key), key, section(path), fields)
			continue
		}
		if field.CanInt() && !strings.HasPrefix(path, "app.") && isZero(value) { // not "off", and not said either
			d.problem(join(path, key), key+" cannot be 0", "write more, or leave it out")
			continue
		}
		d.decode(join(path, key), value, field)
	}
}

// isZero reports a number, a length of time or a size that is 0.
func isZero(v any) bool {
	if text, ok := v.(string); ok {
		return zero.MatchString(text)
	}
	n, ok := wholeNumber(v)
	return ok && n == 0
}

var zero = regexp.MustCompile(`^0+ ?[a-zA-Z]*$`)

// decodeMap reads a table of texts. Numbers and booleans are taken as they
// would be written, for env = { PORT = 3000 } can only mean one thing.
func (d *decoder) decodeMap(path string, v any, into reflect.Value) {
	table, ok := v.(map[string]any)
	if !ok {
		d.wrongType(path, v, into)
		return
	}
	fresh := reflect.MakeMap(into.Type())
	for key, value := range table {
		switch v := value.(type) {
		case string, int64, bool:
			fresh.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(fmt.Sprint(v)))
		case float64:
			fresh.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(strconv.FormatFloat(v, 'f', -1, 64)))
		default:
			d.wrongType(join(path, key), value, reflect.New(into.Type().Elem()).Elem())
		}
	}
	into.Set(fresh)
}

func (d *decoder) unknownKey(path, key, section string, fields map[string]reflect.Value) {
	known := make([]string, 0, len(fields))
	for name := range fields {
		known = append(known, name)
	}
	slices.Sort(known)
	candidates := known
	if strings.HasPrefix(path, "app.") && strings.Count(path, ".") == 2 {
		candidates = slices.Concat(known, d.also)
	}
	hint := didYouMean(key, candidates)
	if other := homeOf(key); hint == "" && other != "" && strings.HasPrefix(section, "[") {
		hint = "it is a key of " + other
	}
	switch {
	case hint == "" && len(known) <= 12:
		hint = "known are " + strings.Join(known, ", ")
	case hint == "":
		hint = "remove it"
	}
	if section == "" {
		section = "the file"
	}
	d.problem(path, fmt.Sprintf("unknown key %q in %s", key, section), hint)
}

func (d *decoder) wrongType(path string, v any, into reflect.Value) {
	hint := ""
	switch {
	case v == nil:
		hint = `leave it out, or write ""`
	case into.Kind() == reflect.String:
		if _, isNumber := wholeNumber(v); isNumber {
			hint = "put it in quotes"
		}
	case into.Kind() == reflect.Slice:
		if s, ok := v.(string); ok && into.Type().Elem().Kind() == reflect.String {
			hint = fmt.Sprintf("write [%q]", s)
		} else if into.Type().Elem().Kind() == reflect.Struct {
			hint = "write " + sectionOf(path+".0")
		}
	case into.Kind() == reflect.Bool || into.Kind() == reflect.Int:
		if _, ok := v.(string); ok {
			hint = "leave out the quotes"
		}
	}
	d.problem(path, fmt.Sprintf("%s wants %s, not %s", keyOf(path), typeName(into.Type()), valueName(v)), hint)
}

// fieldsOf collects the fields of a struct by their toml key, those of
// embedded structs as if they were its own. Fields without a key are not for
// config files.
func fieldsOf(s reflect.Value, into map[string]reflect.Value) {
	for i := range s.NumField() {
		f := s.Type().Field(i)
		key := f.Tag.Get("toml")
		switch {
		case f.Anonymous && key == "":
			fieldsOf(s.Field(i), into)
		case key != "" && key != "-":
			into[key] = s.Field(i)
		}
	}
}

func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64: // all numbers of a JSON file
		n := int64(v)
		return n, float64(n) == v && math.Abs(v) < 1<<53
	}
	return 0, false
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.Pointer:
		return typeName(t.Elem())
	}
	return "a table"
}

func valueName(v any) string {
	switch v := v.(type) {
	case string:
		return "the text " + strconv.Quote(v)
	case bool, int64, float64:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	case time.Time:
		return "a date"
	case nil:
		return "nothing"
	}
	return fmt.Sprintf("%v", v)
}

// keyOf is the key that a path ends in, without list numbers.
func keyOf(path string) string {
	parts := strings.Split(path, ".")
	for i := len(parts) - 1; i >= 0; i-- {
		if _, err := strconv.Atoi(parts[i]); err != nil {
			return parts[i]
		}
	}
	return path
}

// sectionOf writes a path as its header in the file: "site.0.route.1" is [[site.route]].
func sectionOf(path string) string {
	if path == "" {
		return ""
	}
	var names []string
	array := false
	for part := range strings.SplitSeq(path, ".") {
		_, err := strconv.Atoi(part)
		array = err == nil
		if !array {
			names = append(names, part)
		}
	}
	if array {
		return "[[" + strings.Join(names, ".") + "]]"
	}
	return "[" + strings.Join(names, ".") + "]"
}
