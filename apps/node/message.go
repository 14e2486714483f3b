package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

var (
	errNotJSON = errors.New("not JSON")
	errTooLong = fmt.Errorf("a line longer than %d bytes", maxLine)
)

// ours is the cmd of the messages between the daemon and the hook. Node treats
// every cmd that begins with NODE_ as internal: programs do not see it.
const ours = "NODE_ROOST"

// maxLine bounds one message from an instance, in bytes. Longer ones are
// dropped: nothing that we understand is as long.
const maxLine = 1 << 20

// message is any object that crosses the channel, as far as we read it.
type message struct {
	Cmd string `json:"cmd"`
	// of NODE_HANDLE
	Type string          `json:"type,omitempty"`
	Msg  json.RawMessage `json:"msg,omitempty"`
	// of NODE_ROOST
	Act      string  `json:"act,omitempty"`
	N        uint64  `json:"n,omitempty"`
	Host     string  `json:"host,omitempty"`
	Port     int     `json:"port,omitempty"`
	IPv6Only bool    `json:"ipv6Only,omitempty"`
	UDP      bool    `json:"udp,omitempty"`
	Lane     bool    `json:"lane,omitempty"`
	Address  string  `json:"address,omitempty"`
	Version  string  `json:"version,omitempty"`
	Error    string  `json:"error,omitempty"`
	P50      float64 `json:"p50,omitempty"` // milliseconds
	P99      float64 `json:"p99,omitempty"`
}

// Question asks for the listening socket of a TCP port, or for one bound to a UDP port.
type Question struct {
	N        uint64 // for the answer
	Host     string // an IP address; empty for all
	Port     int    // 1-65535
	IPv6Only bool
	UDP      bool
}

// Listening says where an instance's main server listens.
type Listening struct {
	Lane    bool   // it takes connections from the private socket as well
	Address string // the IP address of its own port
	Port    int
}

// Events is what an instance tells. The functions are called one at a time, in
// the order of the messages, and must not wait; those that are nil are not called.
type Events struct {
	Hello       func(version string)      // the hook runs, in this version of Node
	Ready       func()                    // process.send('ready')
	Message     func(raw json.RawMessage) // any other process.send
	Ask         func(q Question)          // wants Channel.Give or Channel.Deny
	Closed      func(n uint64)            // the socket of question n is not used any more
	Listening   func(l Listening)         // the main server listens
	Unlistening func()                    // the main server has been closed
	Elsewhere   func(port int)            // a server listens, but not on the declared port
	Drained     func()                    // after Retire: no connection is left
	Broken      func(err error)           // something that is not a message has come, and was dropped; called once
}

// deliver calls the function that a line is for. The handle protocol's own
// messages do not come here.
func (e Events) deliver(line []byte, pong func(m message)) error {
	var text string
	if line[0] == '"' {
		if err := json.Unmarshal(line, &text); err != nil {
			return err
		}
		if text == "ready" {
			call(e.Ready)
			return nil
		}
	}
	var m message
	if line[0] == '{' {
		// a program's own object may have these keys with other types
		if err := json.Unmarshal(line, &m); err != nil && !json.Valid(line) {
			return err
		}
	} else if !json.Valid(line) {
		return errNotJSON
	}
	switch {
	case m.Cmd == ours:
		e.act(m, pong)
	case strings.HasPrefix(m.Cmd, "NODE_") && len(m.Cmd) > len("NODE_"):
		// Node's own, such as those of its cluster module; none is for us
	default:
		tell(e.Message, json.RawMessage(line))
	}
	return nil
}

func (e Events) act(m message, pong func(m message)) {
	switch m.Act {
	case "hello":
		tell(e.Hello, m.Version)
	case "pong":
		pong(m)
	case "port":
		tell(e.Ask, Question{m.N, m.Host, m.Port, m.IPv6Only, m.UDP})
	case "closed":
		tell(e.Closed, m.N)
	case "listening":
		tell(e.Listening, Listening{m.Lane, m.Address, m.Port})
	case "unlistening":
		call(e.Unlistening)
	case "elsewhere":
		tell(e.Elsewhere, m.Port)
	case "drained":
		call(e.Drained)
	}
}

func call(f func()) {
	if f != nil {
		f()
	}
}

func tell[T any](f func(T), v T) {
	if f != nil {
		f(v)
	}
}
