package apps

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// FilterEnv says which variables of a shell an app does not get. In
// configuration it is true (none of them), one name, or a list of parts of
// names, as in PM2.
type FilterEnv struct {
	All   bool
	Name  string
	Parts []string
}

// Drops reports whether the variable is kept from the app.
func (f FilterEnv) Drops(name string) bool {
	return f.All || f.Name != "" && name == f.Name ||
		slices.ContainsFunc(f.Parts, func(part string) bool { return strings.Contains(name, part) })
}

// IsZero reports whether f drops nothing.
func (f FilterEnv) IsZero() bool { return !f.All && f.Name == "" && len(f.Parts) == 0 }

// Decode sets f from a configuration value: true, false, a text or a list of texts.
func (f *FilterEnv) Decode(v any) error {
	*f = FilterEnv{}
	switch v := v.(type) {
	case bool:
		f.All = v
	case string:
		f.Name = v
	case []any:
		for _, e := range v {
			s, ok := e.(string)
			if !ok || s == "" {
				return fmt.Errorf("want true, a name or a list of parts of names; %v is none", e)
			}
			f.Parts = append(f.Parts, s)
		}
	default:
		return errors.New("want true, a name or a list of parts of names")
	}
	return nil
}

// MarshalJSON writes what Decode reads.
func (f FilterEnv) MarshalJSON() ([]byte, error) {
	switch {
	case f.All || f.IsZero():
		return json.Marshal(f.All)
	case f.Name != "":
		return json.Marshal(f.Name)
	}
	return json.Marshal(f.Parts)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *FilterEnv) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	return f.Decode(v)
}
