package apps

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// loopbackPorts gives out the private ports of instances. They lie below the
// range from which systems take the local ports of outgoing connections, so
// that none of those can be in the way between choosing one and its program
// listening on it; and none is given twice.
var loopbackPorts = &portPool{first: 20000, count: 10000}

type portPool struct {
	first, count int
	mu           sync.Mutex
	taken        map[int]bool
}

func (p *portPool) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken == nil {
		p.taken = map[int]bool{}
	}
	from := rand.IntN(p.count)
	for i := range p.count {
		port := p.first + (from+i)%p.count
		if !p.taken[port] && loopbackFree(port) == nil {
			p.taken[port] = true
			return port, nil
		}
	}
	return 0, errors.New("no loopback port is free")
}

func (p *portPool) give(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, port)
}

// loopback are the addresses by which a program on a port may be reached:
// "localhost" can lead it to either.
func loopback(port int) []string {
	return []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), net.JoinHostPort("::1", strconv.Itoa(port))}
}

// loopbackFree returns an error when a program already listens on port where
// an instance would.
func loopbackFree(port int) error {
	for _, address := range loopback(port) {
		l, err := net.Listen("tcp", address)
		if err == nil {
			l.Close()
			continue
		}
		if isTaken(err) {
			return err
		}
		// no IPv6 here, or a port that we may not bind but the program may
	}
	return nil
}

// taken is why an app with a port cannot start.
func (p *program) taken(port int, err error) *Complaint {
	c := &Complaint{Key: "port", What: fmt.Sprintf("cannot listen on port %d: %v", port, cause(err))}
	if isTaken(err) {
		p.busy.Store(int64(port))
		c.What = fmt.Sprintf("port %d is already in use", port)
		c.Hint = "stop the program that holds it, or choose another port"
	} else if errors.Is(err, syscall.EACCES) {
		c.Hint = "run as root, or choose a port from 1024 on"
	}
	return c
}

// cause is the innermost error of a network operation: the rest only says
// again what was tried.
func cause(err error) error {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e
	}
	return err
}
