//go:build race

package host

// raced tells whether the race detector is on: stacks are larger then, and sync.Pool forgets things on purpose.
const raced = true
