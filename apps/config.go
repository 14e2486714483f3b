package apps

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"roost/internal/unit"
)

// Config is one app as its user declares it: plain data. Keys carry PM2's
// names wherever PM2 has the notion; other keys are ours.
type Config struct {
	// Name identifies the app on this box; letters, digits, '.', '_' and '-'.
	Name string `toml:"name" json:"name"`
	// Namespace groups apps for commands; "default" when empty.
	Namespace string `toml:"namespace" json:"namespace,omitempty"`
	// Script is a file run by Interpreter. Exactly one of Script and Command is set.
	Script string `toml:"script" json:"script,omitempty"`
	// Command is a program with its arguments, split like a shell does but run without one.
	Command string `toml:"command" json:"command,omitempty"`
	// Args follow the script or the command.
	Args Words `toml:"args" json:"args,omitempty"`
	// Cwd is the working folder; absolute once the config has been read.
	Cwd string `toml:"cwd" json:"cwd,omitempty"`
	// Interpreter runs Script; chosen by the script's extension when empty, "none" runs it directly.
	Interpreter string `toml:"interpreter" json:"interpreter,omitempty"`
	// NodeArgs are arguments of the interpreter, before the script.
	NodeArgs Words `toml:"node_args" json:"node_args,omitempty"`
	// Instances is how many run at a time; 1 when absent.
	Instances Instances `toml:"instances" json:"instances,omitzero"`
	// Env is added to the environment (see environment.go for the order).
	Env map[string]string `toml:"env" json:"env,omitempty"`

	// Port is the app's own port, 1-65535; 0 means that it has none or asks for it itself.
	Port int `toml:"port" json:"port,omitempty"`
	// Health is an absolute path that answers 2xx or 3xx once an instance accepts requests.
	Health string `toml:"health" json:"health,omitempty"`
	// ListenFDs hands each instance its private listening socket by systemd's protocol (sd_listen_fds(3)).
	ListenFDs bool `toml:"listen_fds" json:"listen_fds,omitempty"`
	// WaitReady waits for process.send('ready') or READY=1 (sd_notify(3)) and nothing else.
	WaitReady bool `toml:"wait_ready" json:"wait_ready,omitempty"`
	// ListenTimeout bounds the time from start to ready; 30 s when absent.
	ListenTimeout unit.Duration `toml:"listen_timeout" json:"listen_timeout,omitzero"`
	// HeartbeatTimeout is how long a Node instance's event loop may be silent before it is replaced; 30 s when absent.
	HeartbeatTimeout unit.Duration `toml:"heartbeat_timeout" json:"heartbeat_timeout,omitzero"`
	// Heartbeat false switches the heartbeat off; on when absent.
	Heartbeat *bool `toml:"heartbeat" json:"heartbeat,omitempty"`

	// Autostart false registers the app as stopped; true when absent.
	Autostart *bool `toml:"autostart" json:"autostart,omitempty"`
	// Autorestart false leaves an instance stopped after it has exited; true when absent.
	Autorestart *bool `toml:"autorestart" json:"autorestart,omitempty"`
	// StopExitCodes are exit codes that leave the instance stopped.
	StopExitCodes []int `toml:"stop_exit_codes" json:"stop_exit_codes,omitempty"`
	// MinUptime is how long an instance must live to count as started well; 1 s when absent.
	MinUptime unit.Duration `toml:"min_uptime" json:"min_uptime,omitzero"`
	// MaxRestarts is how many failures in a row make a crash loop; 16 when absent.
	MaxRestarts int `toml:"max_restarts" json:"max_restarts,omitempty"`
	// RestartDelay is a fixed wait before a restart; when absent the wait grows from ExpBackoff.
	RestartDelay unit.Duration `toml:"restart_delay" json:"restart_delay,omitzero"`
	// ExpBackoff is the first wait after a failure, doubled by each further one up to 15 s; 100 ms when absent.
	ExpBackoff unit.Duration `toml:"exp_backoff_restart_delay" json:"exp_backoff_restart_delay,omitzero"`

	// KillTimeout is how long a stopping instance has before its whole tree is killed; 10 s when absent.
	KillTimeout unit.Duration `toml:"kill_timeout" json:"kill_timeout,omitzero"`
	// KillSignal asks an instance to stop: SIGINT for Node (as PM2), SIGTERM for the rest when absent.
	KillSignal string `toml:"kill_signal" json:"kill_signal,omitempty"`
	// ShutdownWithMessage sends Node the message 'shutdown' instead of a signal.
	ShutdownWithMessage bool `toml:"shutdown_with_message" json:"shutdown_with_message,omitempty"`
	// User runs the instances as this user (name or number); only when the program runs as root.
	User string `toml:"user" json:"user,omitempty"`

	// QueueTimeout is how long a request waits while no instance is ready; 10 s when absent.
	QueueTimeout unit.Duration `toml:"queue_timeout" json:"queue_timeout,omitzero"`
	// QueueLimit is how many requests wait so at a time; 100 when absent.
	QueueLimit int `toml:"queue_limit" json:"queue_limit,omitempty"`

	// MaxLogSize is where a log file rotates; 10 MB when absent, 64 KiB at least.
	MaxLogSize unit.Size `toml:"max_log_size" json:"max_log_size,omitempty"`
	// MaxLogFiles is how many rotated files are kept, compressed; 10 when absent.
	MaxLogFiles int `toml:"max_log_files" json:"max_log_files,omitempty"`
}

// Wanted is an app as it should be now: its declaration and what commands have
// made of it since. It is what the state file keeps.
type Wanted struct {
	Config
	// Source is the file that declared the app; empty when a command did.
	Source string `json:"source,omitempty"`
	// Environ is the environment of the shell that started the app; empty when a file declared it.
	Environ map[string]string `json:"environ,omitempty"`
	// Revision counts the wanted forms of the app, from 1.
	Revision int `json:"revision"`
	// Replace moves a slot to a new revision by stop, then start; otherwise the new instance starts beside the old.
	Replace bool `json:"replace,omitempty"`
	// Slots has one element for each instance; a slot's number is its index.
	Slots []Slot `json:"slots"`
	// Serves says that a site leads to the app; derived from the sites, not stored.
	Serves bool `json:"-"`
}

// Slot is what is wanted of one of the app's numbered places.
type Slot struct {
	// ID addresses the slot on the command line; unique on the box, never reused while others exist.
	ID int `json:"id"`
	// Revision is the revision that the slot's instance should be of.
	Revision int `json:"revision"`
	// Stopped keeps the slot empty.
	Stopped bool `json:"stopped,omitempty"`
}

// Instances is a wanted number of instances: positive as it stands, negative
// that many fewer than the box has CPUs, Max one for each CPU. Zero is absent: one.
type Instances int

// Max stands for one instance for each CPU.
const Max Instances = math.MinInt32

// Count resolves n on a box with so many CPUs; at least 1.
func (n Instances) Count(cpus int) int {
	switch {
	case n == 0:
		return 1
	case n == Max:
		return max(cpus, 1)
	case n < 0:
		return max(cpus+int(n), 1)
	}
	return int(n)
}

func (n Instances) String() string {
	if n == Max {
		return "max"
	}
	return strconv.Itoa(int(n))
}

// Decode sets n from a configuration value: an integer (0 is Max, as in PM2) or "max".
func (n *Instances) Decode(v any) error {
	switch v := v.(type) {
	case int64:
		*n = Instances(v)
	case float64:
		*n = Instances(v)
		if float64(*n) != v {
			return fmt.Errorf("instances = %v is not a whole number", v)
		}
	case string:
		i, err := strconv.Atoi(v)
		if v == "max" {
			i, err = 0, nil
		}
		if err != nil {
			return fmt.Errorf("instances = %q is neither \"max\" nor a number", v)
		}
		*n = Instances(i)
	default:
		return fmt.Errorf("instances wants \"max\" or a number")
	}
	if *n == 0 {
		*n = Max
	}
	if *n != Max && (*n > 1000 || *n < -1000) {
		return fmt.Errorf("instances = %d is out of range: at most 1000", int(*n))
	}
	return nil
}

// MarshalJSON writes a number or "max".
func (n Instances) MarshalJSON() ([]byte, error) {
	if n == Max {
		return []byte(`"max"`), nil
	}
	return json.Marshal(int(n))
}

// UnmarshalJSON reads a number or "max".
func (n *Instances) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	return n.Decode(v)
}
