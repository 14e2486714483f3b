package service

import (
	"testing"
	"time"

	"roost/apps"
)

func TestLinesThatTheHistoryHadAreNotSentTwice(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("", 3600))
	line := func(after time.Duration, text string) apps.Line {
		return apps.Line{Time: at.Add(after), App: "web", Stream: "out", Text: text}
	}
	logged := func(l apps.Line) apps.Line { return asLogged(l) } // as it comes back from the file
	o := newOverlap([]apps.Line{
		logged(line(-time.Hour, "same")), logged(line(0, "same")), logged(line(0, "same")), logged(line(time.Millisecond, "last")),
	})
	for i, c := range []struct {
		line apps.Line
		want bool
	}{
		{line(0, "same"), true},
		{line(0, "same"), true},
		{line(0, "same"), false}, // the app said it three times
		{line(0, "other"), false},
		{line(time.Millisecond, "last"), true},
		{line(time.Minute, "last"), false},
	} {
		if got := o.has(c.line); got != c.want {
			t.Errorf("%d: %q: got %v", i, c.line.Text, got)
		}
	}
	if newOverlap(nil).has(line(0, "x")) {
		t.Error("an empty history had a line")
	}
}
