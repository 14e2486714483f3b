package tls

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/certmagic"

	"roost/internal/testca"
)

const thousand = 1000

// heapInUse is what is in use once all that is not has gone.
func heapInUse() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func TestAThousandStoredCertificatesAreServedFromLittleMemory(t *testing.T) {
	// By itself, for it looks at the memory of the process.
	ca := testca.New(t, "Root")
	issuer := "https://ca.example.com/dir"
	c, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	names := storeMany(t, c, ca, issuer, thousand, 90*24*time.Hour)
	before := heapInUse()
	c = running(t, Options{Dir: c.o.Dir, Log: nolog, HTTPPort: func() int { return 80 }}, func(c *Certs) {
		c.issue = func(string, *x509.CertificateRequest, *ear) (*certmagic.IssuedCertificate, error) {
			t.Error("a CA was asked")
			return nil, errors.New("no")
		}
	})
	c.Want(Want{Config: Config{Issuer: issuer}, Names: names})
	settle(t, c)
	address := serving(t, c)
	for _, name := range []string{names[0], names[thousand/2], names[thousand-1]} {
		if _, err := dial(address, &tls.Config{ServerName: name, RootCAs: ca.Pool}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	each := (int64(heapInUse()) - int64(before)) / thousand
	t.Logf("%d bytes a certificate", each)
	if each > 20<<10 {
		t.Errorf("%d bytes a certificate, more than 20 KiB", each)
	}
	runtime.KeepAlive(c)
}

// storeMany puts certificates by issuer, which end after left of 90 days, into the storage, with an
// intermediate behind each, and returns their names.
func storeMany(t *testing.T, c *Certs, ca *testca.CA, issuer string, n int, left time.Duration) (names []string) {
	t.Helper()
	key := (&certmagic.ACMEIssuer{CA: issuer}).IssuerKey()
	_, signer := ca.Sign(&x509.Certificate{})
	keyPEM := testca.KeyPEM(t, signer)
	until := time.Now().Add(left)
	for i := range n {
		name := fmt.Sprintf("n%d.%s", i, unique("thousand"))
		names = append(names, name)
		der, err := x509.CreateCertificate(noRandom{}, &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), DNSNames: []string{name}, NotBefore: until.Add(-90 * 24 * time.Hour), NotAfter: until,
		}, ca.Root, signer.Public(), ca.Key)
		if err != nil {
			t.Fatal(err)
		}
		chain := append(certificatePEM(der), bytes.Repeat(certificatePEM(ca.Root.Raw), 2)...)
		for at, text := range map[string][]byte{
			certmagic.StorageKeys.SiteCert(key, name):       chain,
			certmagic.StorageKeys.SitePrivateKey(key, name): keyPEM,
			certmagic.StorageKeys.SiteMeta(key, name):       fmt.Appendf(nil, `{"sans":[%q],"issuer_data":{"ca":%q}}`, name, issuer),
		} {
			file := filepath.Join(c.o.Dir, filepath.FromSlash(at))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return names
}

func TestManyRenewalsDoNotAskTheCAAllAtOnce(t *testing.T) {
	// By itself, for certmagic's queue of renewals is one for the process.
	synctest.Test(t, func(t *testing.T) {
		const issuer, many = "https://ca.example.com/dir", 40
		ca := testca.New(t, "Root")
		var now, most, asked atomic.Int32
		c, err := New(Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		names := storeMany(t, c, ca, issuer, many, 24*time.Hour)
		c, stop := runningUntil(t, Options{Dir: c.o.Dir, Log: nolog, HTTPPort: func() int { return 80 }}, func(c *Certs) {
			c.issue = func(string, *x509.CertificateRequest, *ear) (*certmagic.IssuedCertificate, error) {
				asked.Add(1)
				n := now.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				time.Sleep(5 * time.Second)
				now.Add(-1)
				return nil, errors.New("the CA is in trouble")
			}
		})
		c.Want(Want{Config: Config{Issuer: issuer}, Names: names})
		settle(t, c)
		time.Sleep(time.Minute)
		if n := most.Load(); n > 16 || n < 2 || asked.Load() < many {
			t.Errorf("%d renewals of %d at a time", n, asked.Load())
		}
		stop()
		time.Sleep(time.Minute) // certmagic's locks are let go of
	})
}

// noRandom is for signatures that nobody relies on.
type noRandom struct{}

func (noRandom) Read(b []byte) (int, error) { return len(b), nil }

func TestManyNewNamesDoNotAskTheCAAllAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, other := &asked{}, &asked{}
		var now, most atomic.Int32
		c, stop := runningUntil(t, Options{Log: nolog, HTTPPort: func() int { return 80 }}, func(c *Certs) {
			c.directories = map[string]string{LetsEncrypt: "https://ca.example.com/dir"}
			c.backoff = func(int) time.Duration { return jitter(time.Hour) } // fewer attempts, for the sake of the test
			c.issue = func(ca string, _ *x509.CertificateRequest, _ *ear) (*certmagic.IssuedCertificate, error) {
				if ca == ZeroSSL {
					other.add()
					return nil, errors.New("nor here")
				}
				a.add()
				n := now.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				time.Sleep(5 * time.Second)
				now.Add(-1)
				return nil, errors.New("the CA is in trouble")
			}
		})
		var names []string
		for i := range newOrders.most + 30 {
			names = append(names, fmt.Sprintf("n%d.herd.example.com", i))
		}
		start := time.Now()
		c.Want(Want{Config: Config{Email: "ops@example.com"}, Names: names})
		settle(t, c)
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %v until the host could listen", took)
		}
		time.Sleep(2 * time.Hour)
		if n := most.Load(); n > 16 || n < 2 {
			t.Errorf("%d orders at a time", n)
		}
		if n := a.most(3 * time.Hour); n != newOrders.most {
			t.Errorf("%d orders in three hours", n)
		}
		if n := other.count(); n < len(names) {
			t.Errorf("the other CA was asked %d times", n)
		}
		stop()
		time.Sleep(time.Minute) // certmagic's locks are let go of
	})
}
