//go:build unix

package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var (
	// ErrClosed is returned once the channel has ended.
	ErrClosed = errors.New("the message channel is closed")
	// ErrFull is returned while the instance has not taken earlier messages.
	ErrFull = errors.New("the message channel is full: the program does not read it")
)

// maxQueue is how many messages wait for an instance that does not read.
const maxQueue = 256

// Channel is the parent's end of an instance's message channel.
type Channel struct {
	conn   *net.UnixConn
	events Events
	done   chan struct{} // closed when the channel has ended
	more   chan struct{} // has a token when there is something to write

	mu     sync.Mutex // guards what follows
	queue  []outgoing
	unack  *outgoing // a socket was sent with this one; nothing follows before it is acknowledged
	closed bool
	pinged uint64 // number of the last ping
	ponged uint64
	sent   time.Time // of the last ping
	lag    Lag

	broken sync.Once
}

type outgoing struct {
	line  []byte
	fd    int // -1: none; else ours to close
	tries int
}

// Open makes a channel and returns the file that an instance inherits as its
// end; close that once the instance has started. Serve makes it work.
func Open(events Events) (*Channel, *os.File, error) {
	pair, err := socketPair()
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a message channel: %w", err)
	}
	child := os.NewFile(uintptr(pair[1]), "channel")
	parent := os.NewFile(uintptr(pair[0]), "channel")
	defer parent.Close()
	conn, err := net.FileConn(parent)
	if err != nil {
		child.Close()
		return nil, nil, fmt.Errorf("cannot make a message channel: %w", err)
	}
	return &Channel{
		conn:   conn.(*net.UnixConn),
		events: events,
		done:   make(chan struct{}),
		more:   make(chan struct{}, 1),
	}, child, nil
}

func socketPair() ([2]int, error) {
	syscall.ForkLock.RLock() // no child may inherit them between the two calls
	defer syscall.ForkLock.RUnlock()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(pair[0])
		unix.CloseOnExec(pair[1])
	}
	return pair, err
}

// Serve reads and writes until the instance's end is closed or Close is called.
func (c *Channel) Serve() {
	written := make(chan struct{})
	go func() { c.write(); close(written) }()
	c.read()
	c.Close()
	<-written
}

// Close ends the channel. The instance sees 'disconnect' and goes on.
func (c *Channel) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	close(c.done)
	c.conn.Close()
	for _, o := range c.queue {
		o.drop()
	}
	if c.unack != nil {
		c.unack.drop()
	}
	c.queue, c.unack = nil, nil
}

// Send queues a message for process.on('message'): any value that JSON knows.
func (c *Channel) Send(v any) error { return c.send(v, -1) }

// Give answers q with a listening socket. fd is the channel's to close from
// now on, whatever happens.
func (c *Channel) Give(q Question, fd int) error {
	inner, err := json.Marshal(message{Cmd: ours, Act: "port", N: q.N})
	if err != nil {
		unix.Close(fd)
		return err
	}
	return c.send(message{Cmd: "NODE_HANDLE", Type: "net.Native", Msg: inner}, fd)
}

// Deny answers q with an error code such as "EADDRINUSE".
func (c *Channel) Deny(q Question, code string) error {
	return c.Send(message{Cmd: ours, Act: "port", N: q.N, Error: code})
}

// Retire makes the hook take no more connections from the app's own port and
// end those that are idle; Events.Drained follows when none is left.
func (c *Channel) Retire() error { return c.Send(message{Cmd: ours, Act: "retire"}) }

// Leave lets the event loop end by itself, which Retire has prevented so that
// the program hears the request to stop; it goes after that request.
func (c *Channel) Leave() error { return c.Send(message{Cmd: ours, Act: "leave"}) }

func (c *Channel) send(v any, fd int) error {
	line, err := json.Marshal(v)
	o := outgoing{line: append(line, '\n'), fd: fd}
	if err == nil {
		err = c.enqueue(o)
	}
	if err != nil {
		o.drop()
	}
	return err
}

func (c *Channel) enqueue(o outgoing) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return ErrClosed
	case len(c.queue) >= maxQueue:
		return ErrFull
	}
	c.queue = append(c.queue, o)
	c.wake()
	return nil
}

func (c *Channel) wake() {
	select {
	case c.more <- struct{}{}:
	default:
	}
}

func (o outgoing) drop() {
	if o.fd >= 0 {
		unix.Close(o.fd)
	}
}

// next takes the message to write now. One with a socket stays in unack until
// the instance has acknowledged it: while it is on its way nothing may follow,
// or Node could lose the socket.
func (c *Channel) next() (o outgoing, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.unack != nil || len(c.queue) == 0 {
		return o, false
	}
	o, c.queue = c.queue[0], c.queue[1:]
	if o.fd >= 0 {
		o.tries++
		kept := o
		c.unack = &kept
		// the kept one may be closed by Close while this one is being written
		fd, err := unix.FcntlInt(uintptr(o.fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			fd = -1
		}
		o.fd = fd
	}
	return o, true
}

func (c *Channel) write() {
	for {
		o, ok := c.next()
		if !ok {
			select {
			case <-c.more:
				continue
			case <-c.done:
				return
			}
		}
		var rights []byte
		if o.fd >= 0 {
			rights = unix.UnixRights(o.fd)
		}
		err := c.writeAll(o.line, rights)
		o.drop()
		if err != nil {
			c.conn.CloseRead() // ends read, and with it the channel
			return
		}
	}
}

func (c *Channel) writeAll(p, rights []byte) error {
	for len(p) > 0 {
		n, _, err := c.conn.WriteMsgUnix(p, rights, nil)
		if err != nil {
			return err
		}
		p, rights = p[n:], nil
	}
	return nil
}

// acknowledged ends the wait for the last socket sent; one that did not arrive
// is sent again, three times in all, as Node does.
func (c *Channel) acknowledged(arrived bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unack == nil {
		return
	}
	o := *c.unack
	c.unack = nil
	if arrived || o.tries >= 3 {
		o.drop()
	} else {
		c.queue = append([]outgoing{o}, c.queue...)
	}
	c.wake()
}

func (c *Channel) read() {
	buf := make([]byte, 16<<10)
	oob := make([]byte, unix.CmsgSpace(4*16))
	var line []byte
	long := false // the current line is too long and being dropped
	for {
		n, oobn, _, _, err := c.conn.ReadMsgUnix(buf, oob)
		closeRights(oob[:oobn])
		if n == 0 || err != nil {
			return
		}
		for p := buf[:n]; len(p) > 0; {
			part, rest, ended := bytes.Cut(p, []byte("\n"))
			if long = long || len(line)+len(part) > maxLine; !long {
				line = append(line, part...)
			}
			if p = rest; !ended {
				break
			}
			if long {
				c.bad(errTooLong)
			} else {
				c.handle(bytes.Clone(line))
			}
			line, long = line[:0], false
		}
		if cap(line) > 64<<10 && len(line) == 0 {
			line = nil
		}
	}
}

// handle does what a line asks. A program that sends us a socket gets it
// acknowledged (else all its later messages would wait) and its message read;
// the socket itself is of no use here and has been closed.
func (c *Channel) handle(line []byte) {
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	var m message
	if line[0] == '{' && bytes.Contains(line, []byte("NODE_HANDLE")) && json.Unmarshal(line, &m) == nil {
		switch m.Cmd {
		case "NODE_HANDLE_ACK", "NODE_HANDLE_NACK":
			c.acknowledged(m.Cmd == "NODE_HANDLE_ACK")
			return
		case "NODE_HANDLE":
			c.Send(message{Cmd: "NODE_HANDLE_ACK"})
			if line = m.Msg; len(line) == 0 {
				return
			}
		}
	}
	if err := c.events.deliver(line, c.pong); err != nil {
		c.bad(err)
	}
}

func (c *Channel) bad(err error) { c.broken.Do(func() { tell(c.events.Broken, err) }) }

func closeRights(oob []byte) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
}
