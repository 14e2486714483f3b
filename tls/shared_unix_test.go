//go:build unix

package tls

import (
	"strings"
	"syscall"
	"testing"

	"roost/internal/testredis"
)

// TestABoxThatWasPausedDoesNotStoreOverAnother pauses a box between its lock
// and its order until another has ordered and stored.
func TestABoxThatWasPausedDoesNotStoreOverAnother(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	const name = "paused.example.com"
	b := newBox(t, Options{}, true, true, hasty)
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	config := sharedBy(t, ca, server)
	b.Want(Want{Config: config, Names: []string{"first." + name}}) // so that it answers challenges
	b.valid(t, "first."+name)
	paused, pause := make(chan struct{}), make(chan *loneBox, 1)
	ordering := func() {
		(<-pause).Signal(syscall.SIGSTOP)
		close(paused)
	}
	ca.ordering.Store(&ordering)
	other := startLone(t, b, config, name, "1s")
	t.Cleanup(func() { other.Signal(syscall.SIGCONT) })
	pause <- other
	<-paused
	b.Want(Want{Config: config, Names: []string{"first." + name, name}})
	serial := serialOf(t, b, name)
	other.Signal(syscall.SIGCONT)
	other.valid(t)
	if !strings.Contains(other.log.String(), "another box has taken over meanwhile") {
		t.Error("the paused box was not stopped from storing")
	}
	again := newBox(t, Options{}, true, true, hasty)
	again.Want(Want{Config: config, Names: []string{name}})
	if got := serialOf(t, again, name); got != serial || serialOf(t, b, name) != serial {
		t.Errorf("stored: %s, want %s of the box that has got the lock since", got, serial)
	}
	if n := ca.orders.Load(); n != 3 {
		t.Errorf("%d orders, want one of the first name and one of each box", n)
	}
}
