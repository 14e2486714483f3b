package tls

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// two are CAs of which the second is the fallback of the first.
type two struct {
	*box
	first, second *acmeCA
	config        Config
	mu            sync.Mutex
	events        []Event
}

func newTwo(t *testing.T, dir string, reachable bool) *two {
	t.Helper()
	w := &two{}
	w.box = newBox(t, Options{Dir: dir, Tell: func(e Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	}}, true, true, func(c *Certs) { c.backoff = soon })
	o := acmeOptions{httpPort: 1, tlsPort: 1}
	if reachable {
		o = acmeOptions{httpPort: w.httpPort, tlsPort: w.httpsPort}
	}
	w.first, w.second = newACME(t, o), newACME(t, o)
	w.config = Config{Issuer: w.first.directory, Fallback: w.second.directory, CARoot: rootsOfBoth(t, w.first, w.second)}
	return w
}

// rootsOfBoth is a file of roots to trust the directories of CAs by.
func rootsOfBoth(t *testing.T, cas ...*acmeCA) string {
	t.Helper()
	var all []byte
	for _, ca := range cas {
		text, err := os.ReadFile(ca.root)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	file := filepath.Join(t.TempDir(), "roots.pem")
	writeFile(t, file, string(all))
	return file
}

// told returns the events of an issuer, as kind and reason.
func (w *two) told(issuer string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for _, e := range w.events {
		if e.Issuer == issuer {
			lines = append(lines, e.Kind+" "+e.Reason)
		}
	}
	return strings.Join(lines, "\n")
}

func TestAnotherCAIsAskedWhenTheFirstIssuesNothing(t *testing.T) {
	t.Parallel()
	const name = "turns.example.com"
	dir := t.TempDir()
	var want Want
	t.Run("in turn", func(t *testing.T) {
		w := newTwo(t, dir, true)
		w.first.limited.Store(true)
		want = Want{Config: w.config, Names: []string{name}}
		w.Want(want)
		if s := w.valid(t, name); s.Issuer != w.second.directory || s.Error != "" || s.Orders != 2 || s.Failures != 1 {
			t.Errorf("status: %+v", s)
		}
		if _, err := dial(w.https, &tls.Config{ServerName: name, RootCAs: w.second.pool}); err != nil {
			t.Error(err)
		}
		if got := w.told(w.first.directory); !strings.Contains(got, "failed ") || !strings.Contains(got, "too many certificates already issued") || !strings.Contains(got, w.second.directory+" is asked") {
			t.Errorf("of the first it was told: %s", got)
		}
		if got := w.told(w.second.directory); got != "obtained " {
			t.Errorf("of the second it was told: %s", got)
		}
		// The next one is from the first again.
		w.first.limited.Store(false)
		if err := w.Renew(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if s := w.valid(t, name); s.Issuer != w.first.directory || w.second.orders.Load() != 1 {
			t.Errorf("renewed: %+v, %d orders of the second", s, w.second.orders.Load())
		}
		if _, err := dial(w.https, &tls.Config{ServerName: name, RootCAs: w.first.pool}); err != nil {
			t.Error(err)
		}
		// And from the second when that is in trouble.
		w.first.down.Store(true)
		if err := w.Renew(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if s := w.valid(t, name); s.Issuer != w.second.directory {
			t.Errorf("renewed while the first is down: %+v", s)
		}
		// Times of two CAs do not tell which certificate is newer, so there is one.
		for i, issuer := range w.sources()[want.source(byPorts)].issuers {
			if stored := issuer.(*acmeIssuer).stored(t.Context(), name) != nil; stored != (i == 1) {
				t.Errorf("of CA %d a certificate is stored: %v", i, stored)
			}
		}
	})
	// What the second has issued is served after a restart, and known to be its.
	b := newBox(t, Options{Dir: dir}, true, true, nil)
	want.CARoot = ""
	b.Want(want)
	settle(t, b.Certs)
	eventually(t, "who issued it is known", func() bool {
		s := status(b.Certs, name)
		return s.State == Valid && s.Issuer == want.Fallback && s.Orders == 0
	})
}

func TestBothCAsAreToldOfWhenNeitherIssues(t *testing.T) {
	t.Parallel()
	const name = "neither.example.com"
	w := newTwo(t, "", true)
	w.first.limited.Store(true)
	w.second.down.Store(true)
	w.Want(Want{Config: w.config, Names: []string{name}})
	failing(t, w.box, name, w.first.directory+" says: too many certificates already issued", w.second.directory+": ", "503")
	if s := status(w.Certs, name); s.Issuer != w.first.directory || !strings.Contains(s.Hint, "wait until") {
		t.Errorf("status: %+v", s)
	}
	w.ends(t)
	w.second.down.Store(false)
	w.Want(Want{Config: w.config, Names: []string{name}})
	if s := w.valid(t, name); s.Issuer != w.second.directory {
		t.Errorf("status: %+v", s)
	}
}

// ends has no name wanted any more, and waits until nothing is kept of attempts.
func (w *two) ends(t *testing.T) {
	t.Helper()
	w.Want(Want{})
	eventually(t, "nothing is kept of attempts", func() bool {
		kept := 0
		for _, i := range w.sources() {
			i.falls.Range(func(any, any) bool { kept++; return true })
		}
		return kept == 0
	})
}

func TestANameThatIsNotProvedIsNotTakenToAnotherCA(t *testing.T) {
	t.Parallel()
	const name = "unproved.example.com"
	w := newTwo(t, "", false)
	w.Want(Want{Config: w.config, Names: []string{name}})
	eventually(t, "it was tried twice", func() bool { return status(w.Certs, name).Failures >= 2 })
	if s := status(w.Certs, name); !strings.Contains(s.Error, "127.0.0.1:1") || strings.Contains(s.Error, w.second.directory) {
		t.Errorf("status: %+v", s)
	}
	if w.first.orders.Load() < 2 || w.second.orders.Load() != 0 {
		t.Errorf("%d and %d orders", w.first.orders.Load(), w.second.orders.Load())
	}
	w.ends(t)
}

func TestZeroSSLStandsInForLetsEncrypt(t *testing.T) {
	t.Parallel()
	const id, key, name = "kid-3", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W", "stands.example.com"
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"success":true,"eab_kid":%q,"eab_hmac_key":%q}`, id, key)
	}))
	defer desk.Close()
	directory := map[string]string{}
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff, c.zeroSSLURL, c.directories = soon, desk.URL, directory })
	first := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	second := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort, eab: [2]string{id, key}})
	directory[LetsEncrypt], directory[ZeroSSL] = first.directory, second.directory // nobody looks before Want
	first.limited.Store(true)
	config := Config{CARoot: rootsOfBoth(t, first, second)}
	b.Want(Want{Config: config, Names: []string{name}})
	failing(t, b, name, "too many certificates") // without an address for mail there is none
	config.Email = "ops@example.com"
	b.Want(Want{Config: config, Names: []string{name}})
	settle(t, b.Certs)
	if s := b.valid(t, name); s.Issuer != ZeroSSL {
		t.Errorf("status: %+v", s)
	}
}

func TestWhichCAStandsIn(t *testing.T) {
	t.Parallel()
	const url, mail = "https://ca.example.com/dir", "ops@example.com"
	for _, test := range []struct {
		config Config
		by     proof
		want   string
	}{
		{Config{}, byPorts, ""},
		{Config{Email: mail}, byPorts, ZeroSSL},
		{Config{Email: mail}, byDNS, ZeroSSL},
		{Config{Email: mail}, byAddress, ""},
		{Config{Email: mail, Staging: true}, byPorts, ""},
		{Config{Email: mail, Fallback: none}, byPorts, ""},
		{Config{Email: mail, Issuer: ZeroSSL}, byPorts, ""},
		{Config{Email: mail, Issuer: url}, byPorts, ""},
		{Config{Issuer: url, Fallback: LetsEncrypt}, byAddress, LetsEncrypt},
		{Config{Email: mail}.from(LetsEncrypt), byPorts, ""},
		{Config{Email: mail}.from(url), byPorts, ""},
		{Config{Email: mail, Issuer: url}.from(LetsEncrypt), byPorts, ""},
	} {
		if got := test.config.fallback(test.by); got != test.want {
			t.Errorf("%+v by %d: %q, want %q", test.config, test.by, got, test.want)
		}
	}
	second, _ := Config{Email: mail, Profile: "tlsserver", EAB: EAB{"id", "file"}, CARoot: "roots.pem"}.second(byPorts)
	if second.directory() != directories[ZeroSSL] || second.Profile != "" || second.EAB != (EAB{}) || second.Email != mail || second.CARoot == "" {
		t.Errorf("second: %+v", second)
	}
}
