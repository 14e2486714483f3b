//go:build race

package apps

// raced tells whether the race detector is on: sync.Pool then forgets things on purpose.
const raced = true
