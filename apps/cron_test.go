package apps

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func at2026(t *testing.T, zone string, text string) time.Time {
	t.Helper()
	l, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	v, err := time.ParseInLocation("01-02 15:04:05", text, l)
	if err != nil {
		t.Fatal(err)
	}
	return v.AddDate(2026, 0, 0)
}

func TestCronExpressionsNameTheirTimes(t *testing.T) {
	for _, c := range []struct{ text, zone, from, want string }{
		{"* * * * *", "UTC", "01-01 00:00:30", "01-01 00:01:00"},
		{"*/10 * * * * *", "UTC", "01-01 00:00:05", "01-01 00:00:10"},
		{"@daily", "Europe/Berlin", "01-01 12:00:00", "01-02 00:00:00"},
		{"@every 90s", "UTC", "01-01 00:00:00", "01-01 00:01:30"},
		{"0 9 * * mon-fri", "UTC", "01-03 00:00:00", "01-05 09:00:00"},
		{"0 0 1 * mon", "UTC", "01-02 00:00:00", "01-05 00:00:00"}, // either day, as crontab(5) has it
		{"0 0 * * 7", "UTC", "01-01 00:00:00", "01-04 00:00:00"},
		{"0 0 L * *", "UTC", "01-01 00:00:00", "01-31 00:00:00"},
		{"0 0 * jun fri#2", "UTC", "01-01 00:00:00", "06-12 00:00:00"},
		// the clock goes from 2:00 to 3:00 on March 29
		{"30 2 * * *", "Europe/Berlin", "03-29 00:00:00", "03-29 03:30:00"},
		{"30 2 * * *", "Europe/Berlin", "03-29 03:30:00", "03-30 02:30:00"},
		{"0 * * * *", "Europe/Berlin", "03-29 01:00:00", "03-29 03:00:00"},
	} {
		times, err := parseTimes(c.text, c.zone)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		from, want := at2026(t, c.zone, c.from), at2026(t, c.zone, c.want)
		if got := times.next(from); !got.Equal(want) {
			t.Errorf("%q after %v: %v, want %v", c.text, from, got, want)
		}
	}
}

func TestAnHourThatComesTwiceHasADailyTimeOnce(t *testing.T) {
	from := at2026(t, "Europe/Berlin", "10-25 00:00:00") // at 3:00 the clock goes back to 2:00
	for text, want := range map[string]string{
		"30 2 * * *":   "02:30 CEST, 02:30 CET", // the second is that of the day after
		"30 * * * *":   "00:30 CEST, 01:30 CEST, 02:30 CEST, 02:30 CET, 03:30 CET",
		"0 */2 * * *":  "02:00 CEST, 04:00 CET",
		"@every 1h30m": "01:30 CEST, 02:00 CET, 03:30 CET",
	} {
		times, err := parseTimes(text, "Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		next := from
		for range strings.Count(want, ",") + 1 {
			next = times.next(next)
			got = append(got, next.Format("15:04 MST"))
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestAClockIsDueAtItsTimes(t *testing.T) {
	begin := at2026(t, "UTC", "01-01 10:00:00")
	for name, c := range map[string]struct {
		text  string
		looks string // minutes after begin, "!" where it must be due
	}{
		"at each time once":                            {"*/10 * * * *", "0 9 10! 10 11 20!"},
		"of several that were missed one counts":       {"*/10 * * * *", "35! 36 40!"},
		"what was missed by an hour does not count":    {"30 10 * * *", "90 91"},
		"by less it does":                              {"30 10 * * *", "89!"},
		"a step back by seconds repeats nothing":       {"30 10 * * *", "30! 29.5 30.1"},
		"the clock set back by more has it come again": {"30 10 * * *", "30! 10 29 30!"},
		"and does not wait for what it was":            {"*/5 * * * *", "5! 10! -300 -295! -290!"},
	} {
		var k clock
		if err := k.set(begin, c.text, "UTC"); err != nil {
			t.Fatal(err)
		}
		for _, look := range strings.Fields(c.looks) {
			at, want := strings.CutSuffix(look, "!")
			var minutes float64
			fmt.Sscan(at, &minutes)
			now := begin.Add(time.Duration(minutes * float64(time.Minute)))
			if got := k.due(now); got != want {
				t.Errorf("%s: due at %s: %v", name, at, got)
			}
			if wake := k.wake(now); wake.After(now.Add(time.Minute)) || !wake.After(now) && !k.next.After(now) {
				t.Errorf("%s: at %s it wakes at %v", name, at, wake)
			}
		}
	}
}

func FuzzParseTimes(f *testing.F) {
	for _, text := range []string{"* * * * *", "@daily", "@every 1s", "0 0 30 2 *", "*/0 * * * *", "TZ=UTC * * * * *", "", "fri#L", "1-0 * * * *", "L-31 W * * *", "0 0 31W * *"} {
		f.Add(text, "Europe/Berlin")
	}
	f.Fuzz(func(t *testing.T, text, zone string) {
		times, err := parseTimes(text, zone)
		if err != nil {
			return
		}
		now := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)
		for range 3 {
			next := times.next(now)
			if next.IsZero() {
				return
			}
			if !next.After(now) {
				t.Fatalf("%q in %q: %v is not after %v", text, zone, next, now)
			}
			now = next
		}
	})
}
