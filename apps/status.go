package apps

import "time"

// State is where an instance, or a slot without one, stands.
type State string

// The states of a slot, in the order of an instance's life.
const (
	StateStarting State = "starting" // running, not ready yet
	StateReady    State = "ready"    // accepts requests; a background app: has started well
	StateDraining State = "draining" // finishes what it has begun
	StateStopped  State = "stopped"  // nobody wants an instance here, or it ended as it may
	StateWaiting  State = "waiting"  // starts when another app is as it must be
	StateBackoff  State = "backoff"  // failed; waits for its next start
	StateErrored  State = "errored"  // failed MaxRestarts times in a row; tried again slowly
)

// Status is a copy of how an app stands.
type Status struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Revision  int    `json:"revision"`
	// Kind is how instances are reached: "node", "port", "listen_fds", "fixed port" or "background".
	Kind string `json:"kind"`
	// Strategy is how the next reload goes: "overlap" or "replace", with the reason for the latter.
	Strategy string `json:"strategy"`
	// Failure says why the app is not as wanted; empty when it is or still may be.
	Failure string `json:"failure,omitempty"`
	// LogProblem says why the output is not written to the log files now; empty when it is.
	LogProblem string `json:"log_problem,omitempty"`
	// Problem says what of the declaration does not hold although instances run; empty when all does.
	Problem   string     `json:"problem,omitempty"`
	Waiting   int        `json:"waiting"` // requests held because no instance is ready
	Instances []Instance `json:"instances"`
}

// Instance is one row of a list: a slot and the process in it. A slot in a
// reload has two rows.
type Instance struct {
	App       string            `json:"app"`
	Namespace string            `json:"namespace"`
	ID        int               `json:"id"`
	Slot      int               `json:"slot"`
	Revision  int               `json:"revision"`
	PID       int               `json:"pid"` // 0 when no process runs
	State     State             `json:"state"`
	Reason    string            `json:"reason,omitempty"` // why it is in that state, or why it replaced the one before, e.g. "exited with status 1"
	Note      string            `json:"note,omitempty"`   // what the program says of itself (STATUS= of sd_notify(3))
	Started   time.Time         `json:"started,omitzero"`
	Uptime    float64           `json:"uptime"`        // seconds
	Next      time.Time         `json:"next,omitzero"` // when schedule or cron_restart starts one here
	Restarts  int               `json:"restarts"`      // unwanted exits and replacements since the slot was made or reset
	ExitCode  *int              `json:"exit_code,omitempty"`
	CPU       float64           `json:"cpu"`                  // per cent of one core, the whole process tree
	Memory    uint64            `json:"memory"`               // bytes resident, the whole process tree
	LagMS     float64           `json:"lag_ms"`               // last event-loop delay of a Node instance, milliseconds
	LagP50MS  float64           `json:"lag_p50_ms,omitempty"` // of its last delays, milliseconds
	LagP99MS  float64           `json:"lag_p99_ms,omitempty"`
	Runtime   string            `json:"runtime,omitempty"` // such as "node v20.20.2"; empty when it does not say
	Metrics   map[string]Metric `json:"metrics,omitempty"` // what the program measures itself (axm:monitor), by name
	Actions   []Action          `json:"actions,omitempty"` // what trigger can have the program do (axm:action)
	InFlight  int               `json:"in_flight"`         // requests being answered
	Requests  uint64            `json:"requests"`          // answered since it started
	PerMinute float64           `json:"requests_per_minute"`
	Address   string            `json:"address,omitempty"` // private address, "unix:/path" or "127.0.0.1:port"
}

// Metric is a figure that a program reports of itself.
type Metric struct {
	Value any    `json:"value"` // a number or a text
	Unit  string `json:"unit,omitempty"`
	Type  string `json:"type,omitempty"`
}

// Action is something that a program can be asked to do.
type Action struct {
	Name  string `json:"name"`
	Type  string `json:"type,omitempty"`
	Arity int    `json:"arity,omitempty"` // how many arguments it takes
}

// Failure says why an app could not become as wanted.
type Failure struct {
	App    string
	Reason string   // e.g. "slot 0 exited with status 1 before it was ready"
	Hint   string   // what to do
	Output []string // the failing instance's last lines
	Waits  bool     // it only waits for another app, which is to be seen to
	Port   int      // a port that it could not have because another process listens on it; 0: none
}

func (f *Failure) Error() string { return ShowName(f.App) + ": " + f.Reason }

// Line is one line of an app's output.
type Line struct {
	Time   time.Time `json:"time,omitzero"` // zero: unknown
	App    string    `json:"app"`
	ID     int       `json:"id"`     // of the slot; -1: unknown, or no instance's
	Slot   int       `json:"slot"`   // -1: unknown, or no instance's
	Stream string    `json:"stream"` // "out" or "err"; empty: unknown
	Text   string    `json:"text"`
}
