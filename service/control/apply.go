package control

import (
	"context"
	"encoding/json"
	"net/http"
)

// ApplyRequest makes what a config file declares so.
type ApplyRequest struct {
	// File is the absolute path of the file: it names where apps and sites came
	// from, and relative paths in Text are resolved against its folder. One whose
	// last part is "-" is standard input: what that declares is a command's.
	File string `json:"file"`
	// Text is the content, read by the one who asks, with that one's rights; of a file
	// that is to be evaluated it is what came of that, as JSON.
	Text string `json:"text"`
	// Env chooses the env_<name> tables of the file's apps; empty: none.
	Env string `json:"env,omitempty"`
	// Only restricts the file to the apps and namespaces with these names; the rest of it stays as it is.
	Only []string `json:"only,omitempty"`
	// Keep does not remove what has left the file, and takes over apps of the same names from other files and commands.
	Keep bool `json:"keep,omitempty"`
	// Environ is the environment of the shell that asks, for apps that are new; nil: they get none.
	Environ map[string]string `json:"environ,omitempty"`
	// UpdateEnv gives Environ to apps that exist, too.
	UpdateEnv bool `json:"update_env,omitempty"`
	// Set are keys of [[app]] for every app of the file, over what it says there.
	Set map[string]json.RawMessage `json:"set,omitempty"`
	// Usual are keys for those apps of the file that do not have them.
	Usual map[string]json.RawMessage `json:"usual,omitempty"`
	// KeepNew registers new apps even when they do not become ready: they are tried again and again, and hold
	// nothing else up; of the others those that fail stay as they were. The answer is an error all the same.
	KeepNew bool `json:"keep_new,omitempty"`
	// DryRun only says what would change.
	DryRun bool `json:"dry_run,omitempty"`
}

// Plan is what a change of the configuration comes to.
type Plan struct {
	Changes []Change `json:"changes"`
	// Notes are for people.
	Notes []string `json:"notes,omitempty"`
}

// Change is one step of a Plan.
type Change struct {
	Verb   string `json:"verb"` // "add", "change" or "remove"
	Kind   string `json:"kind"` // "site", "app", "host" or "tls"
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
}

// Apply makes the file so, or with DryRun says what that would change. Apps
// and sites that came from the file and have left it are removed.
func (c *Client) Apply(ctx context.Context, r ApplyRequest, progress func(string)) (Plan, error) {
	var p Plan
	err := c.change(ctx, http.MethodPost, "/v1/apply", r, progress, &p)
	return p, err
}
