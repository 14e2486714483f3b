package host

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"roost/internal/httplint"
	"roost/internal/testca"
	rtls "roost/tls"
)

// counted is a client of one protocol that counts the connections it makes.
func (b *box) counted(protocol string) (client *http.Client, made *atomic.Int64) {
	made = new(atomic.Int64)
	config := &tls.Config{RootCAs: b.roots()}
	var transport *httplint.Transport
	if protocol == "h3" {
		transport = &httplint.Transport{T: b.t, Base: &http3.Transport{TLSClientConfig: config, DisableCompression: true, Dial: func(ctx context.Context, _ string, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
			made.Add(1)
			return b.dialQUIC(ctx, c, q)
		}}}
		b.t.Cleanup(func() { transport.Base.(io.Closer).Close() })
	} else {
		transport = &httplint.Transport{T: b.t, Base: &http.Transport{TLSClientConfig: config, DisableCompression: true, ForceAttemptHTTP2: protocol == "h2", DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			made.Add(1)
			return new(net.Dialer).DialContext(ctx, "tcp", b.address("https"))
		}}}
		b.t.Cleanup(transport.CloseIdleConnections)
	}
	return &http.Client{Transport: transport, Timeout: time.Minute}, made
}

// TestAnApplyThatIsAboutCertificatesClosesNoConnection has connections of other
// sites, idle and in the middle of an answer, live through twenty changes.
func TestAnApplyThatIsAboutCertificatesClosesNoConnection(t *testing.T) {
	t.Parallel()
	const size = 16 << 20 // more than the buffers on the way hold
	b := newBox(t)
	root := b.folder(map[string]string{"index.html": "hello"})
	large, err := os.Create(filepath.Join(root, "large.bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if err := large.Truncate(size); err != nil {
		t.Fatal(err)
	}
	people, own := filepath.Join(b.dir, "people.pem"), testca.New(t, "Root")
	own.WriteRoot(people)
	own.Write(b.dir, nil, "own.localhost")
	site := func(domain string) Site { return Site{Domains: []string{domain}, Target: Target{Root: root}} }
	first := Config{Host: Listen{HTTP3: true}, Sites: []Site{site("stays.localhost"), site("leaves.localhost")}}
	b.settled(first)

	type visit struct {
		client *http.Client
		made   *atomic.Int64
		rest   io.ReadCloser // of an answer that has begun
	}
	visits := map[string]*visit{}
	for _, p := range protocols {
		for _, busy := range []bool{false, true} {
			v := &visit{}
			v.client, v.made = b.counted(p)
			path := "/"
			if busy {
				path = "/large.bin"
			}
			res, err := v.client.Get("https://stays.localhost" + path)
			if err != nil {
				t.Fatal(p, err)
			}
			if busy {
				v.rest = res.Body
				defer res.Body.Close()
			} else {
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
			visits[fmt.Sprintf("%s, busy %v", p, busy)] = v
		}
	}
	for i := range 20 {
		c := first.Clone()
		switch i % 5 {
		case 0: // a domain more, of a site of its own
			c.Sites = append(c.Sites, site(fmt.Sprintf("new%d.localhost", i)))
		case 1: // one less
			c.Sites = c.Sites[:1]
		case 2: // of the same site
			c.Sites[0].Domains = append(c.Sites[0].Domains, fmt.Sprintf("also%d.localhost", i))
		case 3: // keys of [tls]
			c.TLS = rtls.Config{Email: fmt.Sprintf("ops%d@example.com", i), ServeRoot: true, CARoot: people}
		case 4: // a certificate from files
			c.Sites = append(c.Sites, Site{Domains: []string{"own.localhost"}, Target: Target{Root: root}, Cert: filepath.Join(b.dir, "cert.pem"), Key: filepath.Join(b.dir, "key.pem")})
		}
		b.settled(c)
		last := c.Sites[len(c.Sites)-1].Domains
		pool := b.roots()
		pool.AddCert(own.Root)
		conn, err := tls.Dial("tcp", b.address("https"), &tls.Config{ServerName: last[len(last)-1], RootCAs: pool})
		if err != nil {
			t.Fatalf("what apply %d has brought: %v", i, err)
		}
		conn.Close()
		for name, v := range visits {
			if v.rest != nil {
				if _, err := io.CopyN(io.Discard, v.rest, 1000); err != nil {
					t.Fatalf("%s: after apply %d: %v", name, i, err)
				}
				continue
			}
			res, body := b.get(v.client, "https://stays.localhost/")
			if res.StatusCode != 200 || body != "hello" {
				t.Errorf("%s: after apply %d: %d", name, i, res.StatusCode)
			}
		}
	}
	for name, v := range visits {
		if v.rest != nil {
			if n, err := io.Copy(io.Discard, v.rest); err != nil || n != size-20*1000 {
				t.Errorf("%s: the rest of an answer: %d bytes, %v", name, n, err)
			}
		}
		if n := v.made.Load(); n != 1 {
			t.Errorf("%s: %d connections", name, n)
		}
	}
}
