package tls

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

	"roost/internal/testca"
)

// fakeConn is a connection of which only the local address is asked.
type fakeConn struct {
	net.Conn
	local net.Addr
}

func (c fakeConn) LocalAddr() net.Addr { return c.local }

// hits are handshakes that find their certificate in the table.
func hits(t testing.TB, dir string) (*Certs, map[string]*tls.ClientHelloInfo) {
	c, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"localhost", "*.shop.internal", "127.0.0.1", "::1"}
	for i := range 1000 {
		names = append(names, fmt.Sprintf("site%d.internal", i))
	}
	c.Want(Want{Names: names})
	c.mu.Lock()
	for _, e := range c.entries {
		cert, err := c.mint.certificate(e.name)
		if err != nil {
			t.Fatal(err)
		}
		e.cert = cert
	}
	c.publish()
	c.mu.Unlock()
	protos := []string{"h2", "http/1.1"}
	return c, map[string]*tls.ClientHelloInfo{
		"exact":    {ServerName: "site500.internal", SupportedProtos: protos},
		"wildcard": {ServerName: "a.shop.internal", SupportedProtos: protos},
		"address":  {SupportedProtos: protos, Conn: fakeConn{local: &net.TCPAddr{IP: net.ParseIP("127.0.0.1"), Port: 443}}},
		"address6": {SupportedProtos: protos, Conn: fakeConn{local: &net.TCPAddr{IP: net.ParseIP("::1"), Port: 443, Zone: "lo"}}},
	}
}

func TestAHitAllocatesNothing(t *testing.T) {
	c, hellos := hits(t, t.TempDir())
	for name, hello := range hellos {
		n := testing.AllocsPerRun(100, func() {
			if cert, err := c.certificate(hello); cert == nil || err != nil {
				t.Fatalf("%s: %v, %v", name, cert, err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestAHandshakeIsLedToItsCertificateWithoutAllocation holds the same for all
// that crypto/tls asks of the box before it signs, as a Listener has it.
func TestAHandshakeIsLedToItsCertificateWithoutAllocation(t *testing.T) {
	people, signer := testca.New(t, "People"), testca.New(t, "Root")
	r := responds(signer)
	t.Cleanup(r.Close)
	f := newFiles(t, "own.example.com", "*.own.example.com")
	f.write(signer.Site(r.named(false), f.Names...))
	c := running(t, Options{}, nil)
	names := []string{"exact.localhost", "*.wild.internal", "127.0.0.1", "secret.localhost", "*.secret.internal"}
	w := Want{Names: append(names, f.Names...), Own: []Own{f.Own}}
	c.Want(w)
	settle(t, c)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listen(inner, c.ServerConfig(), ListenOptions{})
	config, heard := l.config.Clone(), make(chan *tls.ClientHelloInfo, 1)
	before := l.config.GetConfigForClient
	l.config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		heard <- hello
		return before(hello)
	}
	address := listening(t, l)
	eventually(t, "a staple", func() bool {
		defer func() { <-heard }()
		return r.staple(t, address, "own.example.com", signer.Pool) != nil
	})
	for _, clients := range [][]Clients{nil, {asks(t, people, "verify_if_given", "secret.localhost", "*.secret.internal")}} {
		w.Clients = clients
		c.Want(w)
		for name, asked := range map[string]bool{
			"exact.localhost": false, "a.wild.internal": false, "": false, "own.example.com": false, "a.own.example.com": false,
			"secret.localhost": true, "a.secret.internal": true,
		} {
			if _, err := dial(address, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}}); err != nil {
				t.Fatalf("%q: %v", name, err)
			}
			hello := <-heard
			var got *tls.Config
			var cert *tls.Certificate
			n := testing.AllocsPerRun(100, func() {
				its, err := config.GetConfigForClient(hello)
				if err != nil {
					t.Fatal(err)
				}
				if (its != nil) != (asked && clients != nil) {
					t.Fatalf("%q: a config of its own: %v", name, its != nil)
				}
				if its == nil {
					its = config
				}
				got = its
				if cert, err = its.GetCertificate(hello); cert == nil || err != nil {
					t.Fatalf("%q: %v", name, err)
				}
			})
			if n != 0 {
				t.Errorf("%q, asked %v: %v allocations", name, asked && clients != nil, n)
			}
			if asked && clients != nil && (!got.ClientCAs.Equal(people.Pool) || got.ClientAuth != tls.VerifyClientCertIfGiven) {
				t.Errorf("%q: other roots, or %v", name, got.ClientAuth)
			}
			if own := strings.HasSuffix(name, "example.com"); own != (len(cert.OCSPStaple) > 0) {
				t.Errorf("%q: a staple of %d bytes", name, len(cert.OCSPStaple))
			}
		}
	}
}

func TestAConnectionWithoutAnAddressIsRefused(t *testing.T) {
	c, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	c.Want(Want{AnyName: true})
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	if cert, err := c.certificate(&tls.ClientHelloInfo{Conn: one}); cert != nil || err != nil {
		t.Errorf("certificate %v, %v", cert, err)
	}
	// Names that are addresses: our own and loopback are served, others are not.
	conn := fakeConn{local: &net.TCPAddr{IP: net.ParseIP("192.168.7.7")}}
	for name, want := range map[string]bool{"192.168.7.7": true, "127.0.0.1": true, "::1": true, "192.168.7.8": false, "203.0.113.1": false} {
		cert, err := c.certificate(&tls.ClientHelloInfo{ServerName: name, Conn: conn})
		if err != nil || (cert != nil) != want {
			t.Errorf("%s: certificate %v, %v", name, cert != nil, err)
		}
	}
}

func FuzzServerNamesNeitherPanicNorPassForOthers(f *testing.F) {
	for _, seed := range []string{"localhost", "a.localhost", "..", "*.localhost", "a.\x00.localhost", "[::1]", "1.2.3.4", "x.y.shop.internal"} {
		f.Add(seed)
	}
	c, _ := hits(f, f.TempDir())
	c.Want(Want{Names: []string{"localhost", "*.shop.internal"}, AnyName: true})
	conn := fakeConn{local: &net.TCPAddr{IP: net.ParseIP("127.0.0.1")}}
	f.Fuzz(func(t *testing.T, name string) {
		cert, err := c.certificate(&tls.ClientHelloInfo{ServerName: name, Conn: conn})
		if err != nil || cert == nil {
			return
		}
		if name == "" {
			name = "127.0.0.1"
		}
		if err := cert.Leaf.VerifyHostname(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	})
}

func BenchmarkCertificate(b *testing.B) {
	c, hellos := hits(b, b.TempDir())
	for name, hello := range hellos {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if cert, err := c.certificate(hello); cert == nil || err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHandshake is a full handshake of TLS 1.3 over loopback, the client's part included.
func BenchmarkHandshake(b *testing.B) {
	c, _ := hits(b, b.TempDir())
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	l := Listen(inner, c.ServerConfig(), ListenOptions{})
	ended := make(chan error, 1)
	go func() { ended <- l.Run(b.Context()) }()
	go func() {
		for {
			conn, err := l.HTTP1().Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	for name, cache := range map[string]tls.ClientSessionCache{"full": nil, "resumed": tls.NewLRUClientSessionCache(1)} {
		config := &tls.Config{ServerName: "localhost", InsecureSkipVerify: true, ClientSessionCache: cache}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				conn, err := tls.Dial("tcp", l.Addr().String(), config)
				if err != nil {
					b.Fatal(err)
				}
				conn.Read(make([]byte, 1)) // to the end, with the session ticket
				conn.Close()
			}
		})
	}
	l.Close()
	<-ended
}
