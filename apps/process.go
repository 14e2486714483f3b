package apps

import (
	"fmt"
	"syscall"

	"roost/apps/node"
)

// proc is a process that runs a program. The real one is in program.go; tests of the
// supervision have one in fake time. Its channels are closed by the process,
// its methods may be called from any goroutine and do not wait.
type proc interface {
	// PID is 0 before the program has started and after it has ended.
	PID() int
	// Ready is closed once it accepts requests; a background program: once it has started well.
	Ready() <-chan struct{}
	// Exited is closed once the whole tree has ended and its output has been read.
	Exited() <-chan struct{}
	// Outcome says how it ended; valid once Exited is closed.
	Outcome() outcome
	// Endpoint is where requests reach it; nil while they do not. It may come
	// after Ready, and go before Exited.
	Endpoint() *endpoint
	// Retire takes no more connections from elsewhere than the endpoint. The
	// channel is closed when those are finished.
	Retire() <-chan struct{}
	// Stop asks it to exit.
	Stop()
	// Kill ends its whole tree.
	Kill()
	// Signal sends a signal to the program itself, not to its children.
	Signal(sig syscall.Signal) error
	// Last is its last lines of output, at most n.
	Last(n int) []string
	// Checkup is what its checks have found; launch.changed is called when that changes.
	Checkup() checkup
	// Note is what the program says of itself.
	Note() string
	// Lag is how late its event loop is; zero where nobody knows.
	Lag() node.Lag
	// Input writes to its standard input; it waits, for inputTime at most.
	Input(text []byte) error
	// Talk is its message channel; nil when it has none.
	Talk() *talk
	// Environ is what it was started with; nil while it does not run.
	Environ() []string
}

// outcome is how a process ended.
type outcome struct {
	err    error          // it could not be started
	exited bool           // by itself, with code
	code   int            // its exit status
	signal syscall.Signal // the signal that ended it
	cause  string         // why we ended it, when it had failed
	port   int            // a port that it could not have, because another process has it
	pid    int            // what its process id was; 0 when it could not be started
}

func (o outcome) String() string {
	switch {
	case o.err != nil:
		return o.err.Error()
	case o.cause != "":
		return o.cause
	case o.exited:
		return fmt.Sprintf("exited with status %d", o.code)
	case o.signal != 0:
		return "was ended by " + signalName(o.signal)
	}
	return "ended"
}
