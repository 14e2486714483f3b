package host

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestTimesOfTheAccessLogAreThoseOfTheirRequests(t *testing.T) {
	t.Parallel()
	f, what, _ := newLogFormat("$time|$time_iso8601|$time_local|$msec|$request_time|$duration_ms", nil)
	if what != "" {
		t.Fatal(what)
	}
	first := time.Date(2026, 2, 28, 23, 59, 59, 0, time.UTC)
	for _, after := range []time.Duration{0, 7 * time.Millisecond, 999999 * time.Microsecond, time.Second, 61 * time.Second, 0, 40 * 24 * time.Hour, time.Nanosecond} {
		start, took := first.Add(after), after/3
		got := string(f.append(nil, &exchange{start: start, request: new(http.Request), link: new(link)}, took))
		want := fmt.Sprintf("%s|%s|%s|%.3f|%.3f|%.3f\n", start.UTC().Format("2006-01-02T15:04:05.000Z"), start.Local().Format("2006-01-02T15:04:05-07:00"),
			start.Local().Format("02/Jan/2006:15:04:05 -0700"), float64(start.UnixMilli())/1000, float64(took.Milliseconds())/1000, float64(took.Microseconds())/1000)
		if got != want {
			t.Errorf("after %v: %s want %s", after, got, want)
		}
	}
}
