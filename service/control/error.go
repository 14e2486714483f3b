package control

import (
	"encoding/json"
	"errors"
	"strings"
)

// The codes of Error, for programs. Each says whose move it is.
const (
	CodeNotFound  = "not_found" // no app, instance or site of that name
	CodeInvalid   = "invalid"   // the request or the configuration is wrong: Problems says where
	CodeConflict  = "conflict"  // right in itself, but not with what is there (the name is taken, the app is stopped)
	CodeFailed    = "failed"    // it was tried and did not come to be: Output has the instance's last lines; all is as before
	CodeStorage   = "storage"   // the state could not be saved (disk full, read-only); all is as before
	CodeForbidden = "forbidden" // this user may not command this daemon
	CodeBusy      = "busy"      // another change is still being made; the message says which
	CodeStopping  = "stopping"  // the daemon is shutting down
)

// ErrNotRunning says that no daemon answers on the socket. Errors of the
// client wrap it; test with errors.Is.
var ErrNotRunning = errors.New("no roost is running")

// Error is a refusal or a failure, as told to programs (Code) and people (the rest).
type Error struct {
	// Code is one of the Code constants.
	Code string `json:"code"`
	// Message says what happened, in lower case, without a full stop.
	Message string `json:"message"`
	// Hint says what to do about it; may be empty.
	Hint string `json:"hint,omitempty"`
	// Problems are the faults of a configuration, each "file:line: what: hint".
	Problems []string `json:"problems,omitempty"`
	// Output are the last lines of the instance that failed.
	Output []string `json:"output,omitempty"`
}

// Error returns the message, and the problems below it, a line each.
func (e *Error) Error() string {
	if len(e.Problems) == 0 {
		return e.Message
	}
	return e.Message + "\n" + strings.Join(e.Problems, "\n")
}

// Event is one line of the answer to a change; the zero value says only that
// the daemon is alive.
type Event struct {
	// Progress is news for people about a change that is being made.
	Progress string `json:"progress,omitempty"`
	// Result ends the answer: the change was made and saved.
	Result json.RawMessage `json:"result,omitempty"`
	// Error ends the answer: all is as before.
	Error *Error `json:"error,omitempty"`
}
