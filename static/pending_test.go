package static

import (
	"testing"
	"time"
)

func TestChangesWaitUntilTheyRest(t *testing.T) {
	begun := time.Unix(1000, 0)
	at := func(d time.Duration) time.Time { return begun.Add(d) }
	ripe := func(p pending, d time.Duration) bool { return p.due(at(d)) != nil }

	p := pending{}
	p.add("/known", begun)
	p.add("/known", at(quiet/2))
	if ripe(p, quiet) {
		t.Error("a change is taken before it rests")
	}
	if !ripe(p, quiet/2+quiet) || len(p) != 0 {
		t.Error("a change is not taken once it rests")
	}
	p.add("/busy", begun)
	for d := time.Duration(0); d < limit; d += quiet / 2 {
		p.add("/busy", at(d))
		if ripe(p, d) {
			t.Errorf("taken after %v though written all the time", d)
		}
	}
	if !ripe(p, limit) {
		t.Errorf("not taken after %v", limit)
	}
}

func TestFilesFoundChangedAreHeldAsLong(t *testing.T) {
	begun := time.Unix(1000, 0)
	p := pending{}
	if p.hold("/a", begun.Add(-quiet), begun) || p.hold("/a", begun.Add(time.Hour), begun) || len(p) != 0 {
		t.Error("a file at rest, or one of the future, is held")
	}
	for d := time.Duration(0); d < limit; d += quiet / 2 {
		now := begun.Add(d)
		if !p.hold("/a", now, now) || len(p) != 1 {
			t.Fatalf("not held after %v", d)
		}
	}
	if now := begun.Add(limit); p.hold("/a", now, now) {
		t.Error("held for ever")
	}
}
