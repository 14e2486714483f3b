//go:build unix

package express

import (
	"bufio"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
)

// TestAConnectionOnWhichNothingIsAskedForAWhileAnswersOn in another goroutine,
// whose stack is small: it runs alone, for stacks are looked at.
func TestAConnectionOnWhichNothingIsAskedForAWhileAnswersOn(t *testing.T) {
	r := newRoad(t, echo, func(o *Options) { o.Idle = restAfter * 500 * time.Millisecond })
	resting := func() int {
		stacks := make([]byte, 1<<20)
		return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "express.(*conn).rest(")
	}
	c, gone := r.dial(), r.dial()
	from := bufio.NewReader(c)
	for range 2 {
		for _, side := range []io.Writer{c, gone} {
			_, _ = io.WriteString(side, ask("/"))
		}
		answer, err := httplint.Read(t, from, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != 200 {
			t.Errorf("%d, %v", answer.StatusCode, err)
		}
		until(t, "both rest", func() bool { return resting() == 2 })
	}
	_ = gone.Close()
	until(t, "one is gone", func() bool { return r.open.Load() == 1 && resting() == 1 })
	if r.Answered() != 4 {
		t.Errorf("%d answered", r.Answered())
	}
}
