package apps

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The conditions of Dependencies.
const (
	DependStarted   = "started"   // a process of the app runs, or has run
	DependReady     = "ready"     // all its instances are ready
	DependCompleted = "completed" // all its instances have exited with status 0
)

// Dependencies are apps and how each must stand, by one of the Depend
// constants. In configuration they are a name, a list of names (ready), or a
// table of names and conditions.
type Dependencies map[string]string

// Decode sets d from a configuration value.
func (d *Dependencies) Decode(v any) error {
	*d = Dependencies{}
	switch v := v.(type) {
	case string:
		(*d)[v] = DependReady
	case []any:
		for _, e := range v {
			name, ok := e.(string)
			if !ok {
				return fmt.Errorf("want names of apps; %v is none", e)
			}
			(*d)[name] = DependReady
		}
	case map[string]any:
		for name, e := range v {
			condition, ok := e.(string)
			if !ok || condition != DependStarted && condition != DependReady && condition != DependCompleted {
				return fmt.Errorf("want the condition of %s to be started, ready or completed, not %v", name, e)
			}
			(*d)[name] = condition
		}
	default:
		return errors.New(`want names of apps, such as ["db"], or conditions, such as { db = "ready", migrate = "completed" }`)
	}
	return nil
}

// UnmarshalJSON reads a table of names and conditions.
func (d *Dependencies) UnmarshalJSON(b []byte) error {
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	return d.Decode(v)
}
