package testport

import (
	"net"
	"strconv"
	"testing"
)

func TestAPortIsFreeBesideTheSystemsRangeAndGivenOnce(t *testing.T) {
	low, high := ephemeral()
	first, end := span(low, high)
	seen := map[int]bool{}
	for range 100 {
		port := Free(t)
		if port < first || port >= end || seen[port] {
			t.Fatalf("%d of %d to %d, seen %v", port, first, end-1, seen[port])
		}
		seen[port] = true
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}

func TestAPortThatSomebodyHasIsNotFree(t *testing.T) {
	for _, network := range []string{"tcp4", "tcp6", "udp4", "udp6"} {
		at := "127.0.0.1"
		if network[3] == '6' {
			at = "::1"
		}
		address := net.JoinHostPort(at, strconv.Itoa(Free(t)))
		var had interface{ Close() error }
		var err error
		if network[0] == 't' {
			had, err = net.Listen(network, address)
		} else {
			had, err = net.ListenPacket(network, address)
		}
		if err != nil {
			if at == "::1" {
				t.Logf("no IPv6 here: %v", err)
				continue
			}
			t.Fatal(err)
		}
		_, text, _ := net.SplitHostPort(address)
		port, _ := strconv.Atoi(text)
		if free(port) {
			t.Errorf("%s %s is taken for free", network, address)
		}
		had.Close()
		if !free(port) {
			t.Errorf("%s is not free again", address)
		}
	}
}

func TestWhereToLook(t *testing.T) {
	for _, c := range []struct{ low, high, first, end int }{
		{32768, 60999, 10000, 20000}, // Linux
		{49152, 65535, 10000, 20000},
		{16384, 65535, 10000, 16384},
		{1024, 5000, 10000, 20000},
		{10500, 64000, 64001, 65536},
		{1024, 65000, 10000, 20000}, // nothing is left
		{1024, 65535, 10000, 20000},
	} {
		if first, end := span(c.low, c.high); first != c.first || end != c.end {
			t.Errorf("beside %d to %d: %d to %d, want %d to %d", c.low, c.high, first, end, c.first, c.end)
		}
	}
}
