package apps

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestSilenceIsCountedInStepsAndEndsWithAnAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit time.Duration
		heard func(since time.Duration) bool
		want  time.Duration // until it is silent; 0: never, within ten minutes
	}{
		{"never heard", 30 * time.Second, func(time.Duration) bool { return false }, 30 * time.Second},
		{"always heard", 30 * time.Second, func(time.Duration) bool { return true }, 0},
		{"heard now and then", 30 * time.Second, func(d time.Duration) bool { return d%(25*time.Second) == 0 }, 0},
		{"heard for a minute", 30 * time.Second, func(d time.Duration) bool { return d <= time.Minute }, 90 * time.Second},
		{"no limit", 0, func(time.Duration) bool { return false }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				begun := time.Now()
				heard := func() bool { return c.heard(time.Since(begun)) }
				is := silent(ctx, func() time.Duration { return c.limit }, heard)
				if took := time.Since(begun); is != (c.want > 0) || is && took != c.want {
					t.Errorf("silent = %v after %v, want it after %v", is, took, c.want)
				}
			})
		})
	}
}
