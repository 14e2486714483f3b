package host

import (
	"maps"
	"reflect"
	"time"
)

// Clone returns a copy that shares nothing changeable with c.
func (c Config) Clone() Config {
	lines := maps.Clone(c.Lines) // an Index never changes
	c.Lines = nil
	c = clone(reflect.ValueOf(c)).Interface().(Config)
	c.Lines = lines
	return c
}

// clone copies plain data: what its pointers, slices and maps lead to as well.
func clone(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			out := reflect.New(v.Type().Elem())
			out.Elem().Set(clone(v.Elem()))
			return out
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() { // never changes, and its fields are its own
			return v
		}
		out := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			out.Field(i).Set(clone(v.Field(i)))
		}
		return out
	case reflect.Slice:
		if !v.IsNil() {
			out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			for i := range v.Len() {
				out.Index(i).Set(clone(v.Index(i)))
			}
			return out
		}
	case reflect.Map:
		if !v.IsNil() {
			out := reflect.MakeMapWithSize(v.Type(), v.Len())
			for key, value := range v.Seq2() {
				out.SetMapIndex(key, clone(value))
			}
			return out
		}
	}
	return v
}
