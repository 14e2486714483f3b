package cli

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestNewsShowOnlyWhenAChangeTakesItsTime(t *testing.T) {
	for name, c := range map[string]struct {
		live  bool
		after time.Duration
		want  string
	}{
		"quick, in a pipe":       {false, 299 * time.Millisecond, ""},
		"slow, in a pipe":        {false, 301 * time.Millisecond, "roost: web: 1/2 ready\nroost: web: 2/2 ready\n"},
		"slow, on a terminal":    {true, 301 * time.Millisecond, "\r\x1b[Kroost: web: 1/2 ready\r\x1b[Kroost: web: 2/2 ready\r\x1b[K"},
		"quick, on a terminal":   {true, 10 * time.Millisecond, ""},
		"slow, with one message": {false, time.Hour, "roost: web: 1/2 ready\nroost: web: 2/2 ready\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b strings.Builder
				console := &console{err: &b, live: c.live, width: 80}
				err := console.follow(func(news func(string)) error {
					news("web: 0/2 ready")
					news("web: 1/2 ready")
					<-time.After(c.after)
					news("web: 2/2 ready")
					news("web: 2/2 ready")
					return nil
				})
				if err != nil || b.String() != c.want {
					t.Errorf("showed %q, %v; want %q", b.String(), err, c.want)
				}
			})
		})
	}
}

func TestNewsFitIntoOneLineOfTheTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		console := &console{err: &b, live: true, width: 20}
		_ = console.follow(func(news func(string)) error {
			<-time.After(time.Second)
			news(strings.Repeat("ä", 100))
			return nil
		})
		if want := "\r\x1b[Kroost: " + strings.Repeat("ä", 11) + "…\r\x1b[K"; b.String() != want {
			t.Errorf("showed %q, want %q", b.String(), want)
		}
	})
}
