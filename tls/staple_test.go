package tls

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"roost/internal/testca"
)

// responder answers for a CA about certificates (RFC 6960).
type responder struct {
	*httptest.Server
	issuer *x509.Certificate
	key    crypto.Signer
	asked  atomic.Int64
	// how makes the answer, from that it is good for a day; nil: it is down.
	how atomic.Pointer[func(w http.ResponseWriter, as *ocsp.Response) []byte]
}

// responds makes the responder of a CA, which may be known later.
func responds(ca *testca.CA) *responder {
	r := &responder{}
	if ca != nil {
		r.issuer, r.key = ca.Root, ca.Key
	}
	r.says(func(as *ocsp.Response) {})
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		raw, _ := io.ReadAll(q.Body)
		question, err := ocsp.ParseRequest(raw)
		how := r.how.Load()
		r.asked.Add(1)
		if err != nil || how == nil || q.Method != http.MethodPost || q.Header.Get("Content-Type") != "application/ocsp-request" {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		now := time.Now().Truncate(time.Second)
		w.Write((*how)(w, &ocsp.Response{SerialNumber: question.SerialNumber, Status: ocsp.Good, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(24 * time.Hour)}))
	}))
	return r
}

// says has the responder give answers as edit makes them.
func (r *responder) says(edit func(as *ocsp.Response)) {
	how := func(_ http.ResponseWriter, as *ocsp.Response) []byte {
		edit(as)
		return r.signed(as, r.issuer, r.issuer, r.key)
	}
	r.how.Store(&how)
}

func (r *responder) signed(as *ocsp.Response, issuer, by *x509.Certificate, key crypto.Signer) []byte {
	raw, err := ocsp.CreateResponse(issuer, by, *as, key)
	if err != nil {
		panic(err)
	}
	return raw
}

// names the responder in a certificate.
func (r *responder) named(must bool) func(*x509.Certificate) {
	return func(as *x509.Certificate) {
		as.OCSPServer = []string{r.URL}
		if must {
			as.ExtraExtensions = []pkix.Extension{{Id: mustStapleID, Value: mustStapleValue}}
		}
	}
}

// staple is what a handshake under name has; nil when it has none.
func (r *responder) staple(t *testing.T, address, name string, pool *x509.CertPool) *ocsp.Response {
	t.Helper()
	state, err := dial(address, &tls.Config{ServerName: name, RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	if len(state.OCSPResponse) == 0 {
		return nil
	}
	answer, err := ocsp.ParseResponseForCert(state.OCSPResponse, state.PeerCertificates[0], r.issuer)
	if err != nil || answer.Status != ocsp.Good {
		t.Fatalf("a staple that is not good: %+v, %v", answer, err)
	}
	return answer
}

func asOften(c *Certs) { c.looks, c.again = 5*time.Millisecond, 5*time.Millisecond }

func TestACertificateOfOnesOwnHasItsStaple(t *testing.T) {
	checkLeaks(t)
	signer := testca.New(t, "Root")
	r := responds(signer)
	t.Cleanup(r.Close)
	f := newFiles(t, "own.example.com", "*.own.example.com")
	f.write(signer.Site(r.named(true), f.Names...))
	bare := newFiles(t, "bare.example.com")
	bare.write(signer.Site(nil, bare.Names...))
	c := running(t, Options{}, asOften)
	address := serving(t, c)
	c.Want(Want{Names: append(f.Names, bare.Names...), Own: []Own{f.Own, bare.Own}})
	settle(t, c)
	for _, name := range []string{"own.example.com", "a.own.example.com"} {
		eventually(t, "a staple for "+name, func() bool { return r.staple(t, address, name, signer.Pool) != nil })
	}
	if r.staple(t, address, "bare.example.com", signer.Pool) != nil {
		t.Error("a staple without a responder")
	}
	if s := status(c, "own.example.com"); s.State != Valid || s.Error != "" {
		t.Errorf("status: %+v", s)
	}
	// A new pair of that kind is served when it has its staple, never without.
	first := serial(t, address, "own.example.com", signer.Pool)
	f.write(signer.Site(r.named(true), f.Names...))
	eventually(t, "the new pair", func() bool {
		if r.staple(t, address, "own.example.com", signer.Pool) == nil {
			t.Fatal("a certificate that must have a staple is served without")
		}
		return serial(t, address, "own.example.com", signer.Pool) != first
	})
}

func TestAStapleIsServedUntilItEndsWhereTheResponderIsDown(t *testing.T) {
	t.Parallel()
	signer := testca.New(t, "Root")
	r := responds(signer)
	t.Cleanup(r.Close)
	f := newFiles(t, "own.example.com")
	f.write(signer.Site(r.named(true), f.Names...))
	dir := t.TempDir()
	want := Want{Names: f.Names, Own: []Own{f.Own}}
	c, stop := runningUntil(t, Options{Dir: dir}, nil)
	address := serving(t, c)
	c.Want(want)
	settle(t, c)
	eventually(t, "a staple", func() bool { return r.staple(t, address, "own.example.com", signer.Pool) != nil })
	stop()
	// After a start it is that of the storage, at once.
	r.how.Store(nil)
	asked := r.asked.Load()
	c, stop = runningUntil(t, Options{Dir: dir}, nil)
	address = serving(t, c)
	c.Want(want)
	settle(t, c)
	if r.staple(t, address, "own.example.com", signer.Pool) == nil {
		t.Error("no staple after a start while the responder is down")
	}
	if n := r.asked.Load() - asked; n != 0 {
		t.Errorf("asked %d times for what is there", n)
	}
	stop()
	// One that ends soon: it is asked for, in vain; then there is none, and that is told.
	ends := time.Now().Truncate(time.Second).Add(2 * time.Second) // its times are of seconds
	r.says(func(as *ocsp.Response) {
		as.NextUpdate = ends
		r.how.Store(nil)
	})
	c, _ = runningUntil(t, Options{}, asOften)
	address = serving(t, c)
	c.Want(want)
	settle(t, c)
	eventually(t, "the staple that ends soon", func() bool {
		return r.staple(t, address, "own.example.com", signer.Pool) != nil || time.Now().After(ends)
	})
	eventually(t, "its end", func() bool { return r.staple(t, address, "own.example.com", signer.Pool) == nil })
	if time.Now().Before(ends) {
		t.Errorf("it is not served any more %s before its end", time.Until(ends))
	}
	eventually(t, "it is told", func() bool {
		s := status(c, "own.example.com")
		return s.State == Failing && strings.Contains(s.Error, "must-staple") && strings.Contains(s.Error, "503") && s.Hint != "" && s.Problem != ""
	})
	// And it comes back.
	r.says(func(*ocsp.Response) {})
	eventually(t, "a staple again", func() bool {
		return r.staple(t, address, "own.example.com", signer.Pool) != nil && status(c, "own.example.com").State == Valid
	})
}

func TestHandshakesDoNotWaitForAResponder(t *testing.T) {
	checkLeaks(t)
	signer := testca.New(t, "Root")
	r := responds(signer)
	t.Cleanup(r.Close)
	held, free := make(chan struct{}, 1), make(chan struct{})
	t.Cleanup(func() { close(free) })
	how := func(http.ResponseWriter, *ocsp.Response) []byte {
		select {
		case held <- struct{}{}:
			<-free
		case <-free:
		}
		return nil
	}
	r.how.Store(&how)
	f := newFiles(t, "own.example.com")
	f.write(signer.Site(r.named(false), f.Names...))
	c := running(t, Options{}, asOften)
	address := serving(t, c)
	c.Want(Want{Names: f.Names, Own: []Own{f.Own}})
	settle(t, c)
	<-held
	if r.staple(t, address, "own.example.com", signer.Pool) != nil {
		t.Error("a staple that nobody has given")
	}
	// Where it must have one, it has to go without the first time; there is nothing else.
	f.write(signer.Site(r.named(true), f.Names...))
	first := serial(t, address, "own.example.com", signer.Pool)
	<-held
	if serial(t, address, "own.example.com", signer.Pool) != first {
		t.Error("the new pair is served before its responder was heard")
	}
}

func TestACertificateOfACAHasItsStaple(t *testing.T) {
	t.Parallel()
	r := responds(nil)
	t.Cleanup(r.Close)
	b := newBox(t, Options{}, false, true, func(c *Certs) { c.again, c.backoff = 5*time.Millisecond, soon })
	ca := newACME(t, acmeOptions{httpPort: 1, tlsPort: b.httpsPort, ocsp: r.URL})
	var err error
	if r.issuer, err = x509.ParseCertificate(ca.authority.GetIntermediateCert(0).DER); err != nil {
		t.Fatal(err)
	}
	r.key = ca.authority.GetIntermediateKey(0)
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{"staple.example.com"}})
	b.valid(t, "staple.example.com")
	eventually(t, "a staple", func() bool { return r.staple(t, b.https, "staple.example.com", ca.pool) != nil })
}

func TestWhatIsWrongWithAnAnswerIsNotStapled(t *testing.T) {
	signer, other := testca.New(t, "Root"), testca.New(t, "Other")
	r := responds(signer)
	t.Cleanup(r.Close)
	delegate := func(edit func(*x509.Certificate)) (*x509.Certificate, crypto.Signer) {
		as := &x509.Certificate{Subject: pkix.Name{CommonName: "Responder"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}}
		edit(as)
		return signer.Sign(as)
	}
	by := func(cert *x509.Certificate, key crypto.Signer) func(http.ResponseWriter, *ocsp.Response) []byte {
		return func(_ http.ResponseWriter, as *ocsp.Response) []byte {
			as.Certificate = cert
			return r.signed(as, signer.Root, cert, key)
		}
	}
	good, goodKey := delegate(func(*x509.Certificate) {})
	wrong, wrongKey := delegate(func(as *x509.Certificate) { as.ExtKeyUsage = nil })
	edited := func(edit func(*ocsp.Response)) func(http.ResponseWriter, *ocsp.Response) []byte {
		return func(_ http.ResponseWriter, as *ocsp.Response) []byte {
			edit(as)
			return r.signed(as, signer.Root, signer.Root, signer.Key)
		}
	}
	for name, test := range map[string]struct {
		how func(http.ResponseWriter, *ocsp.Response) []byte
		err string // empty: it is good
	}{
		"good":               {edited(func(*ocsp.Response) {}), ""},
		"no end":             {edited(func(as *ocsp.Response) { as.NextUpdate = time.Time{} }), ""},
		"of a delegate":      {by(good, goodKey), ""},
		"of one who may not": {by(wrong, wrongKey), "may not sign"},
		"of another CA": {func(_ http.ResponseWriter, as *ocsp.Response) []byte {
			return r.signed(as, other.Root, other.Root, other.Key)
		}, "cannot use the answer"},
		"about another":   {edited(func(as *ocsp.Response) { as.SerialNumber = signer.Root.SerialNumber }), "cannot use the answer"},
		"ended":           {edited(func(as *ocsp.Response) { as.NextUpdate = time.Now().Add(-time.Minute) }), "it ended on"},
		"of the future":   {edited(func(as *ocsp.Response) { as.ThisUpdate = time.Now().Add(time.Hour) }), "has not come"},
		"unknown":         {edited(func(as *ocsp.Response) { as.Status = ocsp.Unknown }), "does not know"},
		"nonsense":        {func(http.ResponseWriter, *ocsp.Response) []byte { return []byte("nonsense") }, "cannot use the answer"},
		"try later":       {func(http.ResponseWriter, *ocsp.Response) []byte { return ocsp.TryLaterErrorResponse }, "cannot use the answer"},
		"longer than any": {func(http.ResponseWriter, *ocsp.Response) []byte { return make([]byte, 1<<20) }, "cannot use the answer"},
		"not found":       {func(w http.ResponseWriter, _ *ocsp.Response) []byte { w.WriteHeader(404); return nil }, "404"},
	} {
		certPEM, keyPEM := signer.Site(r.named(false), "own.example.com")
		cert, err := tls.X509KeyPair(certPEM, keyPEM)
		if err != nil {
			t.Fatal(err)
		}
		r.how.Store(&test.how)
		v, err := ask(t.Context(), r.Client(), &cert)
		if ok := err == nil && v.revoked.IsZero(); ok != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	certPEM, keyPEM := signer.Site(r.named(false), "own.example.com")
	block, _ := pem.Decode(certPEM)
	alone, err := tls.X509KeyPair(certificatePEM(block.Bytes), keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t.Context(), r.Client(), &alone); err == nil || !strings.Contains(err.Error(), "does not stand behind it") {
		t.Errorf("without the CA's certificate: %v", err)
	}
}

func TestARevokedCertificateIsTold(t *testing.T) {
	signer := testca.New(t, "Root")
	r := responds(signer)
	t.Cleanup(r.Close)
	r.says(func(as *ocsp.Response) { as.Status, as.RevokedAt = ocsp.Revoked, time.Now().Add(-time.Hour) })
	f := newFiles(t, "own.example.com")
	f.write(signer.Site(r.named(false), f.Names...))
	c := running(t, Options{}, asOften)
	address := serving(t, c)
	c.Want(Want{Names: f.Names, Own: []Own{f.Own}})
	settle(t, c)
	eventually(t, "that it is revoked", func() bool {
		s := status(c, "own.example.com")
		return s.State == Failing && strings.Contains(s.Error, "has revoked the certificate") && strings.Contains(s.Problem, s.Hint)
	})
	if r.staple(t, address, "own.example.com", signer.Pool) != nil {
		t.Error("stapled")
	}
	// Its successor is another's business.
	f.write(signer.Site(nil, f.Names...))
	eventually(t, "the successor", func() bool { return status(c, "own.example.com").State == Valid })
}
