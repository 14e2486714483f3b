package unit

import (
	"testing"
	"time"
)

func TestFiguresAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 59*time.Second + 999*time.Millisecond: "59s", 133 * time.Second: "2m13s",
		5*time.Hour + 2*time.Minute: "5h2m", 76 * time.Hour: "3d4h",
	} {
		if got := Length(d); got != want {
			t.Errorf("Length(%v) = %s, want %s", d, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KB", 22124953: "21.1 MB", 512 << 20: "512 MB", 3 << 40: "3.0 TB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %s, want %s", n, got, want)
		}
	}
	for f, want := range map[float64]string{0: "0", 0.25: "0.2", 9.94: "9.9", 1234.4: "1234"} {
		if got := Rate(f); got != want {
			t.Errorf("Rate(%v) = %s, want %s", f, got, want)
		}
	}
}
