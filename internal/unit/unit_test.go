package unit

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDurationsAreMillisecondsOrTexts(t *testing.T) {
	for in, want := range map[any]time.Duration{
		int64(1600): 1600 * time.Millisecond, 0.5: 500 * time.Microsecond, "30s": 30 * time.Second,
		"1h 30m": 90 * time.Minute, "250": 250 * time.Millisecond, "1y": 365 * 24 * time.Hour, "1w2d12h": 228 * time.Hour,
	} {
		var d Duration
		if err := d.Decode(in); err != nil || time.Duration(d) != want {
			t.Errorf("Decode(%v) = %v, %v; want %v", in, d, err, want)
		}
		b, _ := json.Marshal(d)
		var back Duration
		if err := json.Unmarshal(b, &back); err != nil || back != d {
			t.Errorf("%v through JSON became %v (%v)", d, back, err)
		}
	}
	for _, bad := range []any{"soon", int64(-1), true, "-3s", "-1d", "9999999999d", "1000000y", "1d5"} {
		var d Duration
		if err := d.Decode(bad); err == nil {
			t.Errorf("Decode(%v) gave %v, want an error", bad, d)
		}
	}
}

func TestSizesAreBytesOrTexts(t *testing.T) {
	for in, want := range map[any]Size{
		int64(7): 7, "10M": 10 << 20, "10MB": 10 << 20, "1.5G": 3 << 29, "2 KiB": 2048, "12": 12,
	} {
		var s Size
		if err := s.Decode(in); err != nil || s != want {
			t.Errorf("Decode(%v) = %v, %v; want %v", in, s, err, want)
		}
	}
	for _, bad := range []any{"big", "-1M", true, "M", 1.5} {
		var s Size
		if err := s.Decode(bad); err == nil {
			t.Errorf("Decode(%v) gave %v, want an error", bad, s)
		}
	}
}
