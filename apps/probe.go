package apps

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// probeTimeout bounds one try to reach an instance.
const probeTimeout = 5 * time.Second

// probe sends a request over a connection of its own and returns the status of
// the answer, 0 when there is none. The program sees what it would see of a
// visitor of https://localhost.
func probe(ctx context.Context, network, address, method, target string) int {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return 0
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
	if _, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: roost\r\nX-Forwarded-For: 127.0.0.1\r\n"+
		"X-Forwarded-Proto: https\r\nX-Forwarded-Host: localhost\r\nConnection: close\r\n\r\n", method, target); err != nil {
		return 0
	}
	r := bufio.NewReader(c)
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		if resp.StatusCode >= 200 {
			return resp.StatusCode
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
	d := net.Dialer{Timeout: probeTimeout}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	// not a FIN but a reset: the program need not wait for a request
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
	return true
}
