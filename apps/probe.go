package apps

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// probeTimeout bounds one try to reach an instance.
const probeTimeout = 5 * time.Second

// probe is request within probeTimeout; 0 when there is no answer.
func probe(ctx context.Context, network, address, method, target string) int {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	status, _ := request(ctx, network, address, method, target)
	return status
}

// request sends a request over a connection of its own and returns the status
// of the answer. The program sees what it would see of a visitor of
// https://localhost.
func request(ctx context.Context, network, address, method, target string) (int, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
	if _, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: roost\r\nX-Forwarded-For: 127.0.0.1\r\n"+
		"X-Forwarded-Proto: https\r\nX-Forwarded-Host: localhost\r\nConnection: close\r\n\r\n", method, target); err != nil {
		return 0, err
	}
	r := bufio.NewReader(c)
	for {
		resp, err := http.ReadResponse(r, nil)
		if err == io.ErrUnexpectedEOF {
			err = errors.New("closed without an answer")
		}
		if err != nil {
			return 0, err
		}
		resp.Body.Close()
		if resp.StatusCode >= 200 {
			return resp.StatusCode, nil
		}
	}
}

// findOn looks for the program on the loopback addresses until it takes a
// connection on one; there requests will go.
func (p *program) findOn(port int) func(context.Context) {
	return func(ctx context.Context) {
		poll(ctx, nil, func() bool {
			for _, address := range loopback(port) {
				if accepts(ctx, address) {
					p.reachable(newEndpoint("tcp", address))
					p.isLocated()
					return true
				}
			}
			return false
		})
	}
}

func accepts(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return connect(ctx, "tcp", address) == nil
}

// connect makes a connection and closes it.
func connect(ctx context.Context, network, address string) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0) // not a FIN but a reset: the program need not wait for a request
	}
	return c.Close()
}
