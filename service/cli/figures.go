package cli

import (
	"fmt"
	"time"

	"roost/internal/unit"
)

func length(d time.Duration) string { return unit.Length(d) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func size(n uint64) string { return unit.Bytes(n) }

func rate(f float64) string { return unit.Rate(f) }

// dash writes a number, and "-" for 0.
func dash(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}
