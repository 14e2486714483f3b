// Package unit holds the quantities that configuration is written in: lengths
// of time and numbers of bytes, each as a number or as a text with a unit.
package unit

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time. In configuration it is a number of
// milliseconds, as in PM2, or a text such as "30s", "1h30m", "250ms", "7d",
// "2w" or "1y" (365 days).
type Duration time.Duration

// Or returns d, or otherwise where d is zero (absent).
func (d Duration) Or(otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return time.Duration(d)
}

func (d Duration) String() string { return time.Duration(d).String() }

// Decode sets d from a configuration value: an int64, a float64 or a string.
func (d *Duration) Decode(v any) error {
	switch v := v.(type) {
	case int64:
		*d = Duration(time.Duration(v) * time.Millisecond)
	case float64:
		*d = Duration(v * float64(time.Millisecond))
	case string:
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			return d.Decode(n)
		}
		p, err := time.ParseDuration(long.ReplaceAllStringFunc(strings.ReplaceAll(v, " ", ""), inHours))
		if err != nil {
			return fmt.Errorf("%q is not a length of time; write milliseconds or a text such as \"30s\"", v)
		}
		*d = Duration(p)
	default:
		return fmt.Errorf("want a length of time: milliseconds or a text such as \"30s\"")
	}
	if *d < 0 {
		return fmt.Errorf("a length of time cannot be negative")
	}
	return nil
}

// long are the parts of a text that package time has no unit for.
var long = regexp.MustCompile(`[0-9]+[dwy]`)

func inHours(part string) string {
	n, err := strconv.Atoi(part[:len(part)-1])
	if err != nil || n > 1000_000 {
		return part // which is no length of time
	}
	hours := map[byte]int{'d': 24, 'w': 7 * 24, 'y': 365 * 24}[part[len(part)-1]]
	return strconv.Itoa(n*hours) + "h"
}

// MarshalJSON writes d as a text such as "30s".
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads what MarshalJSON writes, and numbers of milliseconds.
func (d *Duration) UnmarshalJSON(b []byte) error { return decodeJSON(b, d.Decode) }

// Size is a number of bytes. In configuration it is a number or a text with
// one of the units K, M, G (powers of 1024, an optional B or iB after them).
type Size int64

// Or returns s, or otherwise where s is zero (absent).
func (s Size) Or(otherwise int64) int64 {
	if s == 0 {
		return otherwise
	}
	return int64(s)
}

// Decode sets s from a configuration value: an int64, a float64 or a string.
func (s *Size) Decode(v any) error {
	switch v := v.(type) {
	case int64:
		*s = Size(v)
	case float64:
		if v != math.Trunc(v) {
			return fmt.Errorf("%v is no whole number of bytes; write bytes or a text such as \"10M\"", v)
		}
		*s = Size(v)
	case string:
		text := strings.ToUpper(strings.TrimSpace(v))
		text = strings.TrimSuffix(strings.TrimSuffix(text, "B"), "I")
		factor := 1.0
		for i, unit := range []string{"K", "M", "G", "T"} {
			if rest, ok := strings.CutSuffix(text, unit); ok {
				text, factor = rest, float64(int64(1)<<(10*(i+1)))
				break
			}
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return fmt.Errorf("%q is not a size; write bytes or a text such as \"10M\"", v)
		}
		*s = Size(n * factor)
	default:
		return fmt.Errorf("want a size: bytes or a text such as \"10M\"")
	}
	if *s < 0 {
		return fmt.Errorf("a size cannot be negative")
	}
	return nil
}

// UnmarshalJSON reads a number of bytes or a text with a unit.
func (s *Size) UnmarshalJSON(b []byte) error { return decodeJSON(b, s.Decode) }

func decodeJSON(b []byte, decode func(any) error) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	return decode(v)
}
