package unit

import (
	"fmt"
	"time"
)

// Length writes a length of time with its two largest units: 13s, 2m13s, 5h2m, 3d4h.
func Length(d time.Duration) string {
	d = d.Truncate(time.Second)
	s, m, h, days := int(d/time.Second)%60, int(d/time.Minute)%60, int(d/time.Hour)%24, int(d/(24*time.Hour))
	switch {
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, h)
	case h > 0:
		return fmt.Sprintf("%dh%dm", h, m)
	case m > 0:
		return fmt.Sprintf("%dm%ds", m, s)
	}
	return fmt.Sprintf("%ds", s)
}

// Bytes writes a number of bytes in powers of 1024, as Size reads them.
func Bytes(n uint64) string {
	f := float64(n)
	for _, unit := range []string{"B", "KB", "MB", "GB"} {
		if f < 1024 {
			if unit == "B" || f >= 100 {
				return fmt.Sprintf("%.0f %s", f, unit)
			}
			return fmt.Sprintf("%.1f %s", f, unit)
		}
		f /= 1024
	}
	return fmt.Sprintf("%.1f TB", f)
}

// Rate writes a number per minute: whole where it is large.
func Rate(f float64) string {
	if f == 0 || f >= 10 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.1f", f)
}
