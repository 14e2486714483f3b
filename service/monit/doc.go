// Package monit is a full-screen page in the terminal: apps and instances,
// their figures over the last minutes, and the live output of the one that is
// chosen. It is a client of the control socket like any other, and outlives
// the daemon: while that is away it says so and tries again.
//
//	┌ bar ──────────────────────────────────────┐
//	│ list      an app, below it its instances  │
//	├ figures ─ CPU, memory, requests, latency ─┤
//	│ pane      output, or the description      │
//	└ keys ─────────────────────────────────────┘
package monit
