package node

import "time"

// Lag is how late an event loop is.
type Lag struct {
	Last     time.Duration // the answer to the last ping; while it is due, since that
	P50, P99 time.Duration // of the last minute's delays, by a timer of the instance's own; 0 before there are any
}

// maxDelay bounds what an instance says of itself.
const maxDelay = 24 * time.Hour

// delay is a duration that an instance has given in milliseconds.
func delay(ms float64) time.Duration {
	return time.Duration(max(0, min(ms, float64(maxDelay.Milliseconds()))) * float64(time.Millisecond))
}
