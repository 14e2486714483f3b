package control

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"roost/apps"
)

// InputRequest writes to the standard input of instances.
type InputRequest struct {
	// Targets as in ActRequest.
	Targets []string `json:"targets"`
	// Text is written as it is; a line ends with "\n".
	Text string `json:"text"`
}

// MessageRequest sends a message to Node programs: process.on('message').
type MessageRequest struct {
	// Targets as in ActRequest.
	Targets []string `json:"targets"`
	// Message is any JSON value.
	Message json.RawMessage `json:"message"`
}

// TriggerRequest has programs do an action that they have registered (axm:action).
type TriggerRequest struct {
	// Targets as in ActRequest.
	Targets []string `json:"targets"`
	Action  string   `json:"action"`
	// Param is handed to the action; nil: nothing.
	Param *string `json:"param,omitempty"`
	// Timeout bounds each answer, nanoseconds; 10 s when absent.
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Reply is what one instance has answered, or that it has been told.
type Reply struct {
	App       string          `json:"app"`
	Namespace string          `json:"namespace"`
	ID        int             `json:"id"`
	Return    json.RawMessage `json:"return,omitempty"` // of a trigger
	Error     string          `json:"error,omitempty"`  // why it did not answer, or could not be told
}

// Input writes to the standard input of the targets' instances.
func (c *Client) Input(ctx context.Context, r InputRequest) ([]Reply, error) {
	var out []Reply
	err := c.change(ctx, http.MethodPost, "/v1/input", r, nil, &out)
	return out, err
}

// Message sends a message to the targets' instances.
func (c *Client) Message(ctx context.Context, r MessageRequest) ([]Reply, error) {
	var out []Reply
	err := c.change(ctx, http.MethodPost, "/v1/message", r, nil, &out)
	return out, err
}

// Trigger has the targets' instances do an action and returns their answers.
// It fails with CodeNotFound when none knows the action.
func (c *Client) Trigger(ctx context.Context, r TriggerRequest) ([]Reply, error) {
	var out []Reply
	err := c.change(ctx, http.MethodPost, "/v1/trigger", r, nil, &out)
	return out, err
}

// Environ returns the whole environment that the instance with this id was
// started with, secrets too; CodeConflict when it does not run.
func (c *Client) Environ(ctx context.Context, id int) (map[string]string, error) {
	env := map[string]string{}
	err := c.get(ctx, "/v1/instances/"+strconv.Itoa(id)+"/environ", &env)
	return env, err
}

// Apps describes all apps, in order of registration. With values the Config
// and Environ of each carry the values of their variables, which are secrets
// as often as not.
func (c *Client) Apps(ctx context.Context, values bool) ([]App, error) {
	var out []App
	err := c.get(ctx, "/v1/apps?"+url.Values{"values": {strconv.FormatBool(values)}}.Encode(), &out)
	return out, err
}

// Events calls each with what happens to the targets' apps from now on, of all
// when there are none, until ctx ends (nil) or each returns an error. A reader
// that is too slow loses events. An event with no Kind says only that the
// daemon is alive.
func (c *Client) Events(ctx context.Context, targets []string, each func(apps.Event) error) error {
	query := url.Values{"target": targets}
	return stream(ctx, c, "/v1/events?"+query.Encode(), nil, func(e apps.Event) error {
		if e.Kind == "" {
			return nil
		}
		return each(e)
	})
}
