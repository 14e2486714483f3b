package apps

import (
	"fmt"

	"github.com/google/shlex"
)

// Words is a list of arguments. In configuration it is a list of strings or
// one string, split like a shell does.
type Words []string

// Decode sets w from a configuration value: a string or a list of strings.
func (w *Words) Decode(v any) error {
	switch v := v.(type) {
	case string:
		words, err := shlex.Split(v)
		if err != nil {
			return fmt.Errorf("cannot split %q into words: close the quote", v)
		}
		*w = words
	case []any:
		*w = make(Words, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return fmt.Errorf("want a string or a list of strings; put %v in quotes", e)
			}
			*w = append(*w, s)
		}
	default:
		return fmt.Errorf("want a string or a list of strings")
	}
	return nil
}
