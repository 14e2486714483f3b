package apps

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Instances is a wanted number of instances: positive as it stands, negative
// that many fewer than the box has CPUs, Max one for each CPU. Zero is absent: one.
type Instances int

// Max stands for one instance for each CPU.
const Max Instances = math.MinInt32

// Count resolves n on a box with so many CPUs; at least 1.
func (n Instances) Count(cpus int) int {
	switch {
	case n == 0:
		return 1
	case n == Max:
		return max(cpus, 1)
	case n < 0:
		return max(cpus+int(n), 1)
	}
	return int(n)
}

func (n Instances) String() string {
	if n == Max {
		return "max"
	}
	return strconv.Itoa(int(n))
}

// Decode sets n from a configuration value: an integer (0 is Max, as in PM2) or "max".
func (n *Instances) Decode(v any) error {
	switch v := v.(type) {
	case int64:
		*n = Instances(v)
	case float64:
		*n = Instances(v)
		if float64(*n) != v {
			return fmt.Errorf("instances = %v is not a whole number", v)
		}
	case string:
		i, err := strconv.Atoi(v)
		if v == "max" {
			i, err = 0, nil
		}
		if err != nil {
			return fmt.Errorf("instances = %q is neither \"max\" nor a number", v)
		}
		*n = Instances(i)
	default:
		return fmt.Errorf("instances wants \"max\" or a number")
	}
	if *n == 0 {
		*n = Max
	}
	if *n != Max && (*n > 1000 || *n < -1000) {
		return fmt.Errorf("instances = %d is out of range: at most 1000", int(*n))
	}
	return nil
}

// MarshalJSON writes a number or "max".
func (n Instances) MarshalJSON() ([]byte, error) {
	if n == Max {
		return []byte(`"max"`), nil
	}
	return json.Marshal(int(n))
}

// UnmarshalJSON reads a number or "max".
func (n *Instances) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	return n.Decode(v)
}
