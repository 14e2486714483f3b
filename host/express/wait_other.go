//go:build !unix

package express

import "net"

// waiter reads without holding a buffer meanwhile; here nothing does.
type waiter struct{}

func newWaiter(net.Conn) *waiter { return nil }

func (*waiter) rest() {}

func (*waiter) read(c *conn) (int, error) { return c.Conn.Read(c.read) }
