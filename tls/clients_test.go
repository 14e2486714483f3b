package tls

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mholt/acmez/v3"

	"roost/internal/testca"
)

// person is a certificate of a client.
func person(ca *testca.CA, edit func(*x509.Certificate)) tls.Certificate {
	as := &x509.Certificate{Subject: pkix.Name{CommonName: "ann"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if edit != nil {
		edit(as)
	}
	cert, key := ca.Sign(as)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// asks is a Clients of the root of ca for names.
func asks(t *testing.T, ca *testca.CA, mode string, names ...string) Clients {
	t.Helper()
	file := filepath.Join(t.TempDir(), "people.pem")
	ca.WriteRoot(file)
	return Clients{ClientAuth: ClientAuth{CA: file, Mode: mode}, Names: names}
}

func TestClientsShowACertificateWhereTheyAreAsked(t *testing.T) {
	people, other := testca.New(t, "Root"), testca.New(t, "Root")
	ann := person(people, nil)
	late := person(people, func(as *x509.Certificate) { as.NotAfter = time.Now().Add(-time.Minute) })
	server := person(people, func(as *x509.Certificate) { as.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	c := running(t, Options{}, nil)
	address := serving(t, c)
	none := Clients{ClientAuth: ClientAuth{CA: "gone"}, Names: []string{"gone.localhost"}}
	c.Want(Want{
		Names:   []string{"secret.localhost", "maybe.localhost", "gone.localhost", "open.localhost", "*.wild.internal", "127.0.0.1"},
		Clients: []Clients{asks(t, people, "", "secret.localhost", "*.wild.internal", "127.0.0.1"), asks(t, people, "verify_if_given", "maybe.localhost"), none},
		AnyName: true,
	})
	settle(t, c)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, test := range []struct {
			name string
			cert *tls.Certificate
			ok   bool
		}{
			{"secret.localhost", &ann, true},
			{"SECRET.localhost", &ann, true},
			{"secret.localhost", nil, false},
			{"SECRET.localhost", nil, false},
			{"secret.localhost", new(person(other, nil)), false},
			{"secret.localhost", &late, false},
			{"secret.localhost", &server, false},
			{"maybe.localhost", nil, true},
			{"maybe.localhost", &ann, true},
			{"maybe.localhost", new(person(other, nil)), false},
			{"gone.localhost", &ann, false}, // roots that cannot be read are not the system's
			{"gone.localhost", nil, false},
			{"open.localhost", nil, true},
			{"open.localhost", &late, true}, // nobody asks
			{"a.wild.internal", nil, false},
			{"a.wild.internal", &ann, true},
			{"a.b.wild.internal", nil, false}, // minted, and led to the same site
			{"a.b.wild.internal", &ann, true},
			{"127.0.0.1", nil, false}, // no name is sent
			{"127.0.0.1", &ann, true},
		} {
			config := client(t, c, test.name)
			config.MaxVersion = version
			if test.cert != nil {
				// Shown whatever CAs the server names.
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return test.cert, nil }
			}
			if _, err := dial(address, config); (err == nil) != test.ok {
				t.Errorf("%s: %s, certificate %v: %v", tls.VersionName(version), test.name, test.cert != nil, err)
			}
		}
	}
	// A CA that proves a name has no certificate of a client.
	if config, err := c.asking(&tls.ClientHelloInfo{ServerName: "secret.localhost", SupportedProtos: []string{acmez.ACMETLS1Protocol}}); config != nil || err != nil {
		t.Errorf("a challenge is asked for a certificate: %v, %v", config, err)
	}
}

func TestATicketOfOneSiteDoesNotOpenAnother(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		people := testca.New(t, "Root")
		ann := person(people, nil)
		c := running(t, Options{}, nil)
		address := serving(t, c)
		w := Want{Names: []string{"secret.localhost", "open.localhost"}, Clients: []Clients{asks(t, people, "", "secret.localhost")}}
		c.Want(w)
		settle(t, c)
		sessions := oneCache{tls.NewLRUClientSessionCache(1)}
		ask := func(name string, cert *tls.Certificate) (tls.ConnectionState, error) {
			config := client(t, c, name)
			config.InsecureSkipVerify, config.ClientSessionCache, config.MaxVersion = true, sessions, version
			if cert != nil {
				config.Certificates = []tls.Certificate{*cert}
			}
			return dial(address, config)
		}
		what := tls.VersionName(version)
		if _, err := ask("open.localhost", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := ask("secret.localhost", nil); err == nil {
			t.Errorf("%s: opened without a certificate", what)
		}
		if state, err := ask("secret.localhost", &ann); err != nil || state.DidResume {
			t.Errorf("%s: with one: resumed %v, %v", what, state.DidResume, err)
		}
		if state, err := ask("secret.localhost", nil); err != nil || !state.DidResume {
			t.Errorf("%s: again: resumed %v, %v", what, state.DidResume, err)
		}
		if state, err := ask("open.localhost", nil); err != nil || state.DidResume {
			t.Errorf("%s: its ticket at the other site: resumed %v, %v", what, state.DidResume, err)
		}
		if _, err := ask("secret.localhost", &ann); err != nil {
			t.Fatal(err)
		}
		// Other roots: what they had signed counts no more, sessions neither.
		next := testca.New(t, "Root")
		w.Clients = []Clients{asks(t, next, "", "secret.localhost")}
		c.Want(w)
		if _, err := ask("secret.localhost", &ann); err == nil {
			t.Errorf("%s: a session outlives the roots that it was begun under", what)
		}
	}
}

func TestTheRootsOfClientsAreReadAgainWhenTheirFileChanges(t *testing.T) {
	checkLeaks(t)
	people, others := testca.New(t, "People"), testca.New(t, "Others")
	ann, eve := person(people, nil), person(others, nil)
	log := &testLog{t: t}
	c := running(t, Options{Log: slogTo(log)}, quickly)
	address := serving(t, c)
	auth := asks(t, people, "", "secret.localhost")
	c.Want(Want{Names: []string{"secret.localhost"}, Clients: []Clients{auth}})
	settle(t, c)
	sessions := map[*tls.Certificate]tls.ClientSessionCache{&ann: tls.NewLRUClientSessionCache(8)}
	opens := func(who *tls.Certificate) bool {
		config := client(t, c, "secret.localhost")
		config.ClientSessionCache = sessions[who]
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return who, nil }
		_, err := dial(address, config)
		return err == nil
	}
	if !opens(&ann) || opens(&eve) {
		t.Fatal("at first")
	}
	put := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(auth.CA, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What holds no root is told, and the old ones count.
	put([]byte("nonsense"))
	eventually(t, "that it is told", func() bool { return strings.Contains(log.String(), "holds no certificate in PEM form") })
	if !opens(&ann) || opens(&eve) {
		t.Error("a bad file has changed who may come in")
	}
	if err := os.Remove(auth.CA); err != nil {
		t.Fatal(err)
	}
	eventually(t, "that it is told", func() bool { return strings.Contains(log.String(), "cannot read the file") })
	c.Want(Want{Names: []string{"secret.localhost", "other.localhost"}, Clients: []Clients{auth}})
	if !opens(&ann) || opens(&eve) {
		t.Error("a file that is gone has changed who may come in")
	}
	// Both, and then the other one alone: sessions of before open nothing.
	put(append(people.RootPEM(), others.RootPEM()...))
	eventually(t, "both open it", func() bool { return opens(&eve) && opens(&ann) })
	others.WriteRoot(auth.CA)
	eventually(t, "the first does not any more", func() bool { return !opens(&ann) })
	if !opens(&eve) {
		t.Error("the other one neither")
	}
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{ann.Leaf}, VerifiedChains: [][]*x509.Certificate{{ann.Leaf, people.Root}}}
	if c.Admits(state, auth.ID()) {
		t.Error("a connection of before is still good")
	}
}

func TestWhatIsWrongWithClientAuthIsToldAtOnce(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.pem"), filepath.Join(dir, "bad.pem")
	if err := os.WriteFile(good, testca.New(t, "Root").RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		auth *ClientAuth
		want []string // key: beginning of what
	}{
		{nil, nil},
		{&ClientAuth{CA: good}, nil},
		{&ClientAuth{CA: good, Mode: "require"}, nil},
		{&ClientAuth{CA: good, Mode: "verify_if_given"}, nil},
		{&ClientAuth{Mode: "ask"}, []string{`mode: unknown mode "ask"`, "ca: ca is missing"}},
		{&ClientAuth{CA: bad}, []string{"ca: " + bad + " holds no certificate"}},
		{&ClientAuth{CA: bad + "x"}, []string{"ca: cannot read the file"}},
		{&ClientAuth{CA: dir}, []string{"ca: " + dir + " is not a file"}},
	} {
		got := ValidateClientAuth(test.auth)
		if len(got) != len(test.want) {
			t.Errorf("%+v: %q", test.auth, got)
			continue
		}
		for i, c := range got {
			if !strings.HasPrefix(c.Key+": "+c.What, test.want[i]) || c.Hint == "" {
				t.Errorf("%+v: %q", test.auth, c)
			}
		}
	}
}
