package apps

import (
	"encoding/json"
	"time"
)

// The kinds of Event.
const (
	EventStart   = "start"   // an instance was started
	EventReady   = "ready"   // it takes requests
	EventStop    = "stop"    // it was asked to stop
	EventExit    = "exit"    // it has ended; Reason says how
	EventRestart = "restart" // its slot gets another; Reason says why
	EventErrored = "errored" // its slot keeps failing
	EventMessage = "message" // its program sent a message that is not for us; Data is it
)

// Event is something that happened to an instance, or to a certificate.
type Event struct {
	Time      time.Time       `json:"time"`
	App       string          `json:"app"`
	Namespace string          `json:"namespace"`
	ID        int             `json:"id"`
	Slot      int             `json:"slot"`
	PID       int             `json:"pid,omitempty"`
	Kind      string          `json:"kind"`
	Reason    string          `json:"reason,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	// Certificate is the name of the certificate that it is about, of which
	// package tls has the kinds; it is about no instance then.
	Certificate string `json:"certificate,omitempty"`
}
