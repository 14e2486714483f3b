package httplint

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// collected are findings that no test heard of.
var collected struct {
	sync.Mutex
	running bool
	texts   []string
}

// Option is something that holds for all answers of a test binary.
type Option struct{ on *atomic.Bool }

var (
	// Apps: all answers are made by apps.
	Apps = Option{new(atomic.Bool)}
	// Unguarded: servers are net/http's alone, which refuses what it cannot
	// read with an answer that no handler has seen.
	Unguarded = Option{new(atomic.Bool)}
)

// Run puts a Transport under http.DefaultTransport, runs the tests and returns
// what to exit with: not 0 when an answer was wrong. It is called by TestMain.
func Run(m *testing.M, options ...Option) int {
	for _, o := range options {
		o.on.Store(true)
	}
	real := http.DefaultTransport
	http.DefaultTransport = &Transport{Base: real}
	collected.running = true
	code := m.Run()
	http.DefaultTransport = real
	collected.Lock()
	defer collected.Unlock()
	for _, text := range collected.texts {
		fmt.Fprintln(os.Stderr, text)
	}
	if len(collected.texts) > 0 && code == 0 {
		code = 1
	}
	return code
}

// Main runs the tests as Run does, for those who call it themselves: goleak,
// testscript.
type Main struct {
	*testing.M
	Options []Option
}

// Run runs the tests.
func (m Main) Run() int { return Run(m.M, m.Options...) }

// collect keeps a finding, with the place in a test that it came to.
func collect(text string) {
	collected.Lock()
	defer collected.Unlock()
	if !collected.running {
		panic("httplint: no test hears of this, and TestMain does not call Run: " + text)
	}
	if len(collected.texts) < 100 {
		collected.texts = append(collected.texts, "--- "+place()+": "+text)
	}
}

func place() string {
	calls := make([]uintptr, 64)
	frames := runtime.CallersFrames(calls[:runtime.Callers(2, calls)])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.File, "_test.go") {
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if !more {
			return "outside of a test"
		}
	}
}
