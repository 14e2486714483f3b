package apps

import (
	"errors"
	"fmt"
)

// Paths is a list of files, folders or patterns. In configuration it is a text
// or a list of texts; true is the working folder, false none.
type Paths []string

// Decode sets p from a configuration value.
func (p *Paths) Decode(v any) error {
	switch v := v.(type) {
	case bool:
		*p = nil
		if v {
			*p = Paths{"."}
		}
	case string:
		*p = Paths{v}
	case []any:
		*p = make(Paths, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return fmt.Errorf("want a text or a list of texts; put %v in quotes", e)
			}
			*p = append(*p, s)
		}
	default:
		return errors.New("want a text or a list of texts")
	}
	return nil
}

// LogFile is where a log goes. In configuration it is a text, or true for the
// usual file, which reads "true".
type LogFile string

// Decode sets f from a configuration value: true, false or a text.
func (f *LogFile) Decode(v any) error {
	switch v := v.(type) {
	case bool:
		*f = ""
		if v {
			*f = "true"
		}
	case string:
		*f = LogFile(v)
	default:
		return errors.New("want a file, or true for the usual one")
	}
	return nil
}
