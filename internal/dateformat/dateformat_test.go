package dateformat

import (
	"strings"
	"testing"
	"time"
)

func TestTimesAreWrittenAsDayJSDoes(t *testing.T) {
	zone := time.FixedZone("", 5*3600+30*60)
	at := time.Date(2026, 3, 1, 15, 4, 5, 67_000_000, zone) // a Sunday
	for format, want := range map[string]string{
		"":                                       "",
		"YYYY-MM-DDTHH:mm:ss":                    "2026-03-01T15:04:05",
		"YYYY-MM-DD HH:mm:ss.SSS Z":              "2026-03-01 15:04:05.067 +05:30",
		"YY/M/D H:m:s ZZ":                        "26/3/1 15:4:5 +0530",
		"hh:mm A, h a":                           "03:04 PM, 3 pm",
		"MMM MMMM d dd ddd dddd":                 "Mar March 0 Su Sun Sunday",
		"[at] HH [YYYY":                          "at 15 [2026",
		"[[]HH]":                                 "[15]",
		"QQ xx ü \x00":                           "QQ xx ü \x00",
		"YYYYY":                                  "2026Y",
		"{\"t\":\"HH\"}":                         `{"t":"15"}`,
		strings.Repeat("[x]", 3) + "[]" + "SSSS": "xxx067S",
	} {
		if got := Parse(format).String(at); got != want {
			t.Errorf("%q: %q, want %q", format, got, want)
		}
	}
	for hour, want := range map[int]string{0: "12 am", 1: "1 am", 12: "12 pm", 23: "11 pm"} {
		if got := Parse("h a").String(time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)); got != want {
			t.Errorf("%d o'clock is %q, want %q", hour, got, want)
		}
	}
}

func TestATimeIsCutFromALine(t *testing.T) {
	f := Parse("YYYY-MM-DD HH:mm:ss.SSS Z[: ]")
	at, rest, ok := f.Cut("2026-03-01 15:04:05.067 +05:30: hello", time.UTC)
	if !ok || rest != "hello" || !at.Equal(time.Date(2026, 3, 1, 9, 34, 5, 67_000_000, time.UTC)) {
		t.Errorf("%v, %q, %v", at, rest, ok)
	}
	for _, text := range []string{"", "2026", "2026-02-31 15:04:05.067 +05:30: x", "2026-03-01 15:04:61.067 +05:30: x", "2026-03-01 15:04:05.067 +05", "hello"} {
		if at, rest, ok := f.Cut(text, time.UTC); ok || rest != text {
			t.Errorf("%q: %v, %q", text, at, rest)
		}
	}
	for _, format := range []string{"HH:mm:ss", "", "YYYY-MM-DD", "MMM D, YYYY HH:mm:ss"} {
		if at, _, ok := Parse(format).Cut(Parse(format).String(time.Now()), time.UTC); ok {
			t.Errorf("%q tells the time %v", format, at)
		}
	}
}

func FuzzFormat(f *testing.F) {
	f.Add("YYYY-MM-DD HH:mm:ss.SSS Z", int64(1772359445067))
	f.Add("[a]]b[", int64(0))
	f.Add("YYYYMMDDHHmmss", int64(-1))
	f.Fuzz(func(t *testing.T, format string, ms int64) {
		at := time.UnixMilli(ms % 253402300800000).UTC() // to the year 9999
		got := Parse(format).String(at)
		if !strings.ContainsAny(format, "YMDdHhmsSZAa[") && got != format {
			t.Fatalf("%q became %q", format, got)
		}
		if at.Year() < 0 {
			return
		}
		back, rest, ok := Parse(format).Cut(got+"rest", time.UTC)
		if !ok {
			return
		}
		// What is read is what was written, to the precision of the format.
		if again := Parse(format).String(back.UTC()); rest != "rest" || again != got {
			t.Fatalf("%q of %v: %q reads as %v, %q", format, at, got, back, rest)
		}
	})
}
