package apps

import (
	"time"

	"roost/internal/unit"
)

// Check is a question that a ready instance is asked again and again; exactly
// one of HTTP, TCP and Exec is set.
type Check struct {
	// HTTP is an absolute path that answers 2xx or 3xx, asked at the instance's private address.
	HTTP string `toml:"http" json:"http,omitempty"`
	// TCP is "host:port" that accepts connections, or "instance" for the instance's private address.
	TCP string `toml:"tcp" json:"tcp,omitempty"`
	// Exec is a command that exits with status 0, run in the instance's folder with its environment.
	Exec Words `toml:"exec" json:"exec,omitempty"`
	// Interval is the time from one question to the next; 10 s when absent.
	Interval unit.Duration `toml:"interval" json:"interval,omitzero"`
	// Timeout bounds an answer; 5 s when absent.
	Timeout unit.Duration `toml:"timeout" json:"timeout,omitzero"`
	// Failures in a row take the instance out of rotation and replace it; 3 when absent.
	Failures int `toml:"failures" json:"failures,omitempty"`
}

const (
	defaultCheckInterval = 10 * time.Second
	defaultCheckTimeout  = 5 * time.Second
	defaultCheckFailures = 3

	// theInstance is TCP for the instance's private address.
	theInstance = "instance"
)

// addresses reports whether the check needs the instance to have a private address.
func (c *Check) addresses() bool { return c != nil && (c.HTTP != "" || c.TCP == theInstance) }
