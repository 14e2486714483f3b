package control

import (
	"context"
	"net/http"
	"time"

	"roost/apps"
)

// Pong says who answers.
type Pong struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Socket  string    `json:"socket"`
	// Unattended: a service manager has started it, and does so again when it fails.
	Unattended bool `json:"unattended,omitempty"`
}

// Status is how the whole box stands.
type Status struct {
	Pong
	Uptime float64 `json:"uptime"` // seconds
	// File is the config file that the daemon was started with; empty when there was none.
	File string `json:"file,omitempty"`
	// State, TLS, Logs are the folders of this daemon.
	State string `json:"state"`
	TLS   string `json:"tls"`
	Logs  string `json:"logs"`
	// Problems are what a person must look at: a corrupt state file, an address
	// that cannot be bound, a certificate that cannot be had.
	Problems     []string      `json:"problems"`
	Listeners    []Listener    `json:"listeners"`
	Sites        []Site        `json:"sites"`
	Apps         []apps.Status `json:"apps"`
	Certificates []Certificate `json:"certificates"`
	Box          Box           `json:"box"`
}

// Listener is a place where the host takes requests.
type Listener struct {
	Name    string `json:"name"`            // "http", "https" or "http3"
	Address string `json:"address"`         // what is bound, such as "[::]:8080"; what is wanted when nothing is
	Error   string `json:"error,omitempty"` // why it is not bound
}

// Site is a site that is being served.
type Site struct {
	// Domains are the names it answers; none: every name of the box.
	Domains []string `json:"domains"`
	Default bool     `json:"default,omitempty"`
	// Maintenance says that it answers 503 to everything.
	Maintenance bool `json:"maintenance,omitempty"`
	// Targets are where its paths lead, such as "/ → /srv/www" and "/api/ → app web".
	Targets []string `json:"targets"`
	Source  string   `json:"source,omitempty"`
	// Problem says why it cannot be served as declared.
	Problem string  `json:"problem,omitempty"`
	Traffic Traffic `json:"traffic"`
}

// Traffic is how requests fare.
type Traffic struct {
	Requests  uint64            `json:"requests"` // since the daemon started
	PerMinute float64           `json:"requests_per_minute"`
	Classes   map[string]uint64 `json:"status_classes,omitempty"` // "2xx" → how many, since the daemon started
	P50       float64           `json:"p50_ms"`                   // milliseconds, over the last requests
	P90       float64           `json:"p90_ms"`
	P99       float64           `json:"p99_ms"`
}

// Box is how the machine and the daemon's own process fare.
type Box struct {
	CPUs        int     `json:"cpus"`
	CPU         float64 `json:"cpu"`          // per cent of the whole machine, since the last look
	MemoryTotal uint64  `json:"memory_total"` // bytes
	MemoryUsed  uint64  `json:"memory_used"`  // bytes
	Load1       float64 `json:"load1"`        // 0 on Windows
	DaemonCPU   float64 `json:"daemon_cpu"`   // per cent of one core, since the last look
	DaemonRSS   uint64  `json:"daemon_rss"`   // bytes resident
}

// Ping asks who answers; the error wraps ErrNotRunning when nobody does.
func (c *Client) Ping(ctx context.Context) (Pong, error) {
	var p Pong
	err := c.get(ctx, "/v1/ping", &p)
	return p, err
}

// Status asks how the whole box stands.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.get(ctx, "/v1/status", &s)
	return s, err
}

// Metrics returns all figures in Prometheus' text format.
func (c *Client) Metrics(ctx context.Context) ([]byte, error) {
	return c.read(ctx, "/metrics")
}

// Shutdown stops the daemon and all it runs. What is wanted stays wanted: the
// next start brings it back. It returns when the daemon has agreed; that it
// has ended shows by Ping failing with ErrNotRunning.
func (c *Client) Shutdown(ctx context.Context) error {
	return c.change(ctx, http.MethodPost, "/v1/shutdown", struct{}{}, nil, &struct{}{})
}

// Again is Shutdown for a daemon that is Unattended: its service manager starts
// it anew, as the program that is installed by then.
func (c *Client) Again(ctx context.Context) error {
	return c.change(ctx, http.MethodPost, "/v1/shutdown?again=true", struct{}{}, nil, &struct{}{})
}
