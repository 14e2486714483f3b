// Package foreground runs a daemon in this process for somebody who looks at
// it: a terminal, or a container whose main program it is. The output of its
// apps goes to one place, and it may end when they all have.
package foreground
