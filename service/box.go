package service

import (
	"context"
	"encoding/json"
	"net/http"
	"syscall"

	"roost/apps"
	"roost/host"
	"roost/service/control"
	"roost/tls"
)

// wanter is what an edit needs of the host.
type wanter interface {
	// Want says what should be and does not wait.
	Want(host.Config)
	// Settle waits until what the last Want changed is so, or says why it cannot be.
	Settle(context.Context) error
	// Apps is how the apps stand, in the order of the Config.
	Apps() []apps.Status
}

// box is what the daemon needs of the host; tests put a fake in its place.
type box interface {
	wanter
	Run(context.Context) error
	// App returns nil when no app of that name is there.
	App(name string) program
	// Look is how the rest stands.
	Look() look
	// Events is what happens to instances from now on, until stop is called; a slow reader loses some of it.
	Events() (events <-chan apps.Event, stop func())
	// Measure takes the CPU and memory figures anew; at most once a second.
	Measure()
	// Renew gets a new certificate for a wanted name now, as tls.Certs.Renew does.
	Renew(ctx context.Context, name string) error
	// CA tells of the internal CA, made when there is none.
	CA() (tls.CA, error)
	Metrics() http.Handler
}

// program is what commands do to a running app beside wanting it otherwise.
type program interface {
	Signal(id int, sig syscall.Signal) error
	Reset()
	Flush() error
	Reopen() error
	LogFiles(slot int) apps.LogFiles
	History() *apps.History
	Environ(slot int) []string
	Input(slot int, text []byte) error
	Message(slot int, m json.RawMessage) error
	Trigger(ctx context.Context, slot int, action string, param *string) (json.RawMessage, error)
	Follow() (h *apps.History, lines <-chan apps.Line, stop func())
}

// look is how listeners, sites and certificates stand.
type look struct {
	listeners    []control.Listener
	sites        []control.Site
	certificates []control.Certificate
	problems     []string
	traffic      map[string]control.Traffic // by app
}
