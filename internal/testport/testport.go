// Package testport finds ports for programs that must be told one before they
// listen. A port that the system gives to a listener of ours is no good for
// that: once it is closed, the system may give it to any connection.
package testport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
)

// Free is a port that nobody listens on, by TCP or UDP, on any address of
// either family. The system gives it to nobody, the daemon to no instance, and
// Free not again in this process; it begins anywhere, for there may be another.
func Free(t testing.TB) int {
	t.Helper()
	given.Lock()
	defer given.Unlock()
	first, end := span(ephemeral())
	from := rand.IntN(end - first)
	for i := range end - first {
		port := first + (from+i)%(end-first)
		if !given.ports[port] && free(port) {
			given.ports[port] = true
			return port
		}
	}
	t.Fatalf("all ports from %d to %d are taken", first, end-1)
	return 0
}

// Address is a Free port of 127.0.0.1.
func Address(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(Free(t)))
}

var given = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// free listens on all addresses, for which a program on any is in the way.
func free(port int) bool {
	address := ":" + strconv.Itoa(port)
	stream, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	defer stream.Close()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	packets.Close()
	return true
}

// span is where to look, beside the ports from low to high that the system
// gives out. What lies from 20000 to 29999 the daemon gives to instances.
func span(low, high int) (first, end int) {
	const few = 1000
	first, end = 10000, 20000
	switch {
	case low-first >= few:
		return first, min(low, end)
	case high < first:
		return first, end
	case 1<<16-(high+1) >= few:
		return high + 1, 1 << 16
	}
	return first, end // there is nothing better
}

// ephemeral is the range of ports that the system gives to connections and to
// those who listen on port 0.
func ephemeral() (low, high int) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range") // ip(7)
	if err == nil {
		if _, err = fmt.Sscan(string(text), &low, &high); err == nil {
			return low, high
		}
	}
	return 49152, 65535 // RFC 6335, section 6; macOS and Windows have it so
}
