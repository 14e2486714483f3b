package apps

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	defaultListenTimeout = 30 * time.Second
	defaultKillTimeout   = 10 * time.Second
	defaultMinUptime     = time.Second
	defaultMaxRestarts   = 16
	defaultBackoff       = 100 * time.Millisecond
	maxBackoff           = 15 * time.Second

	// erroredDelay is how long after the crash loop was found, and after each
	// further failure, the next start is tried.
	erroredDelay = time.Minute
	// stableTime is how long an instance must live to make failures before it forgotten.
	stableTime = 30 * time.Second
	// quickRestarts is how many instances in a row that started well, but did
	// not live for stableTime, are followed at once.
	quickRestarts = 5
)

// minUptime is how long an instance must live to count as started well.
func (c *Config) minUptime() time.Duration { return c.MinUptime.Or(defaultMinUptime) }

// once reports whether an instance that ends by itself is not followed by another.
func (c *Config) once() bool { return c.Schedule != "" || c.Autorestart != nil && !*c.Autorestart }

// verdict is what follows an exit that nobody asked for.
type verdict struct {
	end     bool // nothing: the program has ended as it may
	fails   int  // failures in a row, this one included
	errored bool // they are a crash loop
	delay   time.Duration
}

// judge decides what follows when an instance that was started at started has
// exited by itself at now, after so many failures in a row.
//
// An instance that lived for 30 s makes earlier failures forgotten and is
// followed at once. So are the first five in a row that had started well (were
// ready and lived for MinUptime) but ended sooner. Any other counts as a
// failure that has to wait: the first ExpBackoff, each further one twice as
// long, up to 15 s, spread by up to a tenth either way so that the instances of
// a box do not start in step. MaxRestarts in a row are a crash loop, tried again
// every minute: one that dies after two seconds for ever is one as well.
func judge(c *Config, o outcome, wasReady bool, lived time.Duration, fails int, jitter func() float64) verdict {
	if c.Schedule != "" || c.once() && o.err == nil {
		return verdict{end: true}
	}
	// a death by signal has no exit code: an instance that ran out of memory is
	// not one that exited with 0
	if o.exited && slices.Contains(c.StopExitCodes, o.code) {
		return verdict{end: true}
	}
	well := wasReady && lived >= c.minUptime()
	v := verdict{fails: fails + 1, delay: time.Duration(c.RestartDelay)}
	if well && lived >= stableTime {
		v.fails = 0
		return v
	}
	if well && v.fails <= quickRestarts {
		return v
	}
	limit := c.MaxRestarts
	if limit == 0 {
		limit = defaultMaxRestarts
	}
	switch {
	case v.fails >= limit:
		v.errored = true
		v.delay = max(v.delay, erroredDelay)
	case v.delay == 0:
		first := float64(c.ExpBackoff.Or(defaultBackoff))
		wait := min(first*math.Pow(2, float64(v.fails-1)), float64(maxBackoff))
		v.delay = time.Duration(wait * (0.9 + 0.2*jitter()))
	}
	return v
}

func random() float64 { return rand.Float64() }
