package control

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"roost/apps"
)

// The verbs of an ActRequest.
const (
	VerbStart   = "start"   // start what is stopped, restart the rest
	VerbStop    = "stop"    // keep registered, run nothing
	VerbRestart = "restart" // stop, then start, all at once
	VerbReload  = "reload"  // new instances beside the old, one at a time; no request is lost
	VerbDelete  = "delete"  // stop and forget
	VerbReset   = "reset"   // restart counters to 0
	VerbFlush   = "flush"   // empty the log files
	VerbReopen  = "reopen"  // open the log files again
	VerbSignal  = "signal"  // send a signal
)

// StartRequest registers and starts a new app.
type StartRequest struct {
	// Config is the app; paths absolute, Name set.
	Config apps.Config `json:"config"`
	// Environ is the environment of the shell that asks; the app gets it below Config.Env.
	Environ map[string]string `json:"environ,omitempty"`
	// Force replaces an app that has the name already, by a restart.
	Force bool `json:"force,omitempty"`
	// KeepNew registers the app even when it does not become ready: it is tried
	// again and again. The answer is an error all the same.
	KeepNew bool `json:"keep_new,omitempty"`
	// Beside are more apps to start at the same time; their own KeepNew and Beside say nothing.
	Beside []StartRequest `json:"beside,omitempty"`
}

// ActRequest does one verb to apps or instances.
type ActRequest struct {
	// Verb is one of the Verb constants.
	Verb string `json:"verb"`
	// Targets are names, instance ids, namespaces, "all" or "/regular expression/"; at least one.
	Targets []string `json:"targets"`
	// Only, when not empty, restricts what Targets mean to the apps and namespaces with these names.
	Only []string `json:"only,omitempty"`
	// Signal is the one to send, with VerbSignal: "SIGUSR2", "usr2" or "12".
	Signal string `json:"signal,omitempty"`
	// Environ, when not nil, replaces the app's shell environment (start, restart and reload with --update-env).
	Environ map[string]string `json:"environ,omitempty"`
	// Set are keys of [[app]] and their new values, with start, restart and reload. null removes a key; names in env
	// are added to those there are, or removed by null.
	Set map[string]json.RawMessage `json:"set,omitempty"`
	// Running restricts restart and reload to what is not stopped.
	Running bool `json:"running,omitempty"`
	// Parallel is how many apps are acted on at a time, until one fails; all at once when 0, and then those that fail
	// do not keep the others from it.
	Parallel int `json:"parallel,omitempty"`
}

// ScaleRequest changes how many instances an app has.
type ScaleRequest struct {
	App string `json:"app"`
	// Change is a number of instances ("4") or a difference ("+2", "-1"). The outcome is 1 to 1000.
	Change string `json:"change"`
}

// Acted is what a change of apps came to.
type Acted struct {
	// Apps are the names of those it concerned, in order of registration.
	Apps []string `json:"apps"`
	// Instances are the rows of these apps afterwards; of deleted apps none.
	Instances []apps.Instance `json:"instances"`
	// Notes are for people: what the change does not do, or for how long it holds.
	Notes []string `json:"notes,omitempty"`
}

// Masked stands for a value of an environment that nobody has asked for: it is a secret as often as not.
const Masked = "********"

// App is all there is to say about one app.
type App struct {
	apps.Status
	// Config is the declaration. The values in Env are Masked unless they were asked for.
	Config apps.Config `json:"config"`
	// Created is when the app was registered.
	Created time.Time `json:"created,omitzero"`
	// Version is that of the package.json nearest to the script; empty when there is none.
	Version string `json:"version,omitempty"`
	// Values is the shell's environment that the app gets, when it was asked for.
	Values map[string]string `json:"values,omitempty"`
	// Source is the file that declared the app; empty when a command did.
	Source string `json:"source,omitempty"`
	// Environ are the names of the variables taken over from the shell that started the app.
	Environ []string `json:"environ,omitempty"`
	// Sources tell where each variable that all instances have comes from: "daemon", "shell", "user", "env" or a file.
	Sources map[string]string `json:"env_sources,omitempty"`
	// Logs are the files that the output goes to, those of "out" first.
	Logs []string `json:"logs"`
	// LogFiles tell them apart, by slot.
	LogFiles map[int]apps.LogFiles `json:"log_files,omitempty"`
	// Sites are the domains and paths that lead to the app, such as "example.com/api/".
	Sites []string `json:"sites,omitempty"`
	// Traffic is nil when no request has come by way of the host.
	Traffic *Traffic `json:"traffic,omitempty"`
}

// Instances returns the rows of the targets, of every app when there are none,
// ordered by id. A slot in a reload has two.
func (c *Client) Instances(ctx context.Context, targets []string) ([]apps.Instance, error) {
	rows := []apps.Instance{}
	err := c.get(ctx, "/v1/instances?"+url.Values{"target": targets}.Encode(), &rows)
	return rows, err
}

// App describes the one app that name, a name or an instance id, addresses.
func (c *Client) App(ctx context.Context, name string) (App, error) {
	var a App
	err := c.get(ctx, "/v1/apps/"+url.PathEscape(name), &a)
	return a, err
}

// AppValues is App with the values of its variables, which are secrets as often as not.
func (c *Client) AppValues(ctx context.Context, name string) (App, error) {
	var a App
	err := c.get(ctx, "/v1/apps/"+url.PathEscape(name)+"?values=true", &a)
	return a, err
}

// Start registers a new app, starts it and waits until it is ready. progress,
// which may be nil, is told the news meanwhile.
func (c *Client) Start(ctx context.Context, r StartRequest, progress func(string)) (Acted, error) {
	var a Acted
	err := c.change(ctx, http.MethodPost, "/v1/apps", r, progress, &a)
	return a, err
}

// Act does a verb to the targets and waits until it is done.
func (c *Client) Act(ctx context.Context, r ActRequest, progress func(string)) (Acted, error) {
	var a Acted
	err := c.change(ctx, http.MethodPost, "/v1/act", r, progress, &a)
	return a, err
}

// Scale changes how many instances an app has and waits until they are ready
// or gone.
func (c *Client) Scale(ctx context.Context, r ScaleRequest, progress func(string)) (Acted, error) {
	var a Acted
	err := c.change(ctx, http.MethodPost, "/v1/scale", r, progress, &a)
	return a, err
}
