package dns01

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"roost/internal/httplint"
	"roost/internal/testdns"
	"roost/internal/testport"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(httplint.Main{M: m, Options: []httplint.Option{httplint.Apps}}) // answers are those of handlers of the tests
}

const (
	value  = "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo"
	secret = "c2VjcmV0IGtleSBvZiB0aGUgbmFtZSBzZXJ2ZXI="
)

// file writes a secret.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func provider(t *testing.T, c Config) *Provider {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// set and remove do as certmagic does for the domain shop.example.com.
func set(ctx context.Context, p *Provider, value string) error {
	_, err := p.AppendRecords(ctx, "example.com.", records(value))
	return err
}

func remove(ctx context.Context, p *Provider, value string) error {
	_, err := p.DeleteRecords(ctx, "example.com.", records(value))
	return err
}

func records(value string) []libdns.Record {
	return []libdns.Record{libdns.RR{Type: "TXT", Name: "_acme-challenge.shop", Data: value}}
}

// says fails unless err is an *Error that has all these words.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error: %v", err)
	}
	for _, word := range words {
		if !strings.Contains(e.Error(), word) {
			t.Errorf("%q does not say %q", e, word)
		}
	}
	if strings.Contains(e.Error(), secret) || strings.Contains(e.Error(), "hush") {
		t.Errorf("the secret is told: %v", e)
	}
}

const name = "_acme-challenge.shop.example.com"

func TestAnUpdateSetsAndRemovesOneRecord(t *testing.T) {
	t.Parallel()
	server := testdns.Start(t, "example.com", "Roost", secret)
	p := provider(t, Config{Provider: RFC2136, Server: server.Addr, KeyName: "roost.", SecretFile: file(t, secret+"\n")})
	for _, v := range []string{value, "other"} { // example.com and *.example.com have the same name
		if err := set(t.Context(), p, v); err != nil {
			t.Fatal(err)
		}
	}
	if got := server.TXT(name); !slices.Equal(got, []string{value, "other"}) {
		t.Errorf("set: %q", got)
	}
	for range 2 { // what is not there can be removed
		if err := remove(t.Context(), p, value); err != nil {
			t.Fatal(err)
		}
	}
	if got := server.TXT(name); !slices.Equal(got, []string{"other"}) {
		t.Errorf("left: %q", got)
	}
}

func TestWhyAnUpdateFailsIsTold(t *testing.T) {
	t.Parallel()
	server := testdns.Start(t, "example.com", "roost", secret)
	right := Config{Provider: RFC2136, Server: server.Addr, KeyName: "roost", SecretFile: file(t, secret)}
	with := func(edit func(*Config)) *Provider {
		c := right
		edit(&c)
		return provider(t, c)
	}
	try := func(p *Provider) error { return set(t.Context(), p, value) }

	says(t, try(with(func(c *Config) { c.KeyName = "nobody" })), name, "through rfc2136", `knows no key "nobody"`)
	says(t, try(with(func(c *Config) { c.SecretFile = file(t, "b3RoZXI=") })), `another secret for the key "roost"`)
	says(t, try(with(func(c *Config) { c.SecretFile = file(t, "hush!") })), "not a TSIG key in base64")
	says(t, try(with(func(c *Config) { c.SecretFile = filepath.Join(t.TempDir(), "none") })), "cannot read the secret")
	says(t, try(with(func(c *Config) { c.Server = testport.Address(t) })), "cannot reach the name server", "refused")

	for _, tt := range []struct {
		rcode int
		tsig  uint16
		words string
	}{
		{dns.RcodeRefused, 0, "update policy"},
		{dns.RcodeNotZone, 0, "not the primary of the zone example.com"},
		{dns.RcodeServerFailure, 0, "answers SERVFAIL"},
		{0, dns.RcodeBadTime, "the clocks"},
	} {
		server.Refuse(tt.rcode, tt.tsig)
		says(t, try(with(func(*Config) {})), tt.words)
	}
	server.Refuse(0, 0)
	_, err := with(func(*Config) {}).AppendRecords(t.Context(), "example.org.", records(value))
	says(t, err, "not the primary of the zone example.org (NOTAUTH)")
	if got := server.TXT(name); len(got) != 0 {
		t.Errorf("set all the same: %q", got)
	}
	server.Unsign(true)
	says(t, try(with(func(*Config) {})), "did not sign its answer")
}

func TestANameServerThatSaysNothingHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	p := provider(t, Config{Provider: RFC2136, Server: silent.Addr().String(), KeyName: "roost", SecretFile: file(t, secret)})
	p.limit = 100 * time.Millisecond
	says(t, set(t.Context(), p, value), "no answer within 100ms")
	p.limit = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- set(ctx, p, value) }()
	for range 2 { // the first is that of the limit
		conn, err := silent.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	cancel()
	select {
	case err := <-ended:
		says(t, err, "cannot")
	case <-time.After(10 * time.Second):
		t.Error("the end of its context does not end it")
	}
}

// seen is a request to a desk.
type seen struct {
	path   string
	header http.Header
	body   map[string]string
}

// desk is an HTTP server that notes what it is asked, and answers as it is told.
type desk struct {
	*httptest.Server
	mu     sync.Mutex
	seen   []seen
	status int
	says   string
}

func newDesk(t *testing.T) *desk {
	d := &desk{status: http.StatusOK, says: "{}"}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s of %q: %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.seen = append(d.seen, seen{r.URL.Path, r.Header, body})
		if d.status/100 == 3 {
			w.Header().Set("Location", "https://elsewhere.example.com/?token=hush")
		}
		w.WriteHeader(d.status)
		io.WriteString(w, d.says)
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *desk) answer(status int, says string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status, d.says = status, says
}

// last is the newest request and how many there were.
func (d *desk) last() (seen, int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.seen) == 0 {
		return seen{}, 0
	}
	return d.seen[len(d.seen)-1], len(d.seen)
}

const accounts = `{"username":"u1","password":"hush1","fulldomain":"s1.auth.example.com","subdomain":"s1","allowfrom":[]}`

func TestACMEDNSIsGivenTheValueForTheAccountOfTheDomain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, tt := range []struct{ accounts, user, key, subdomain string }{
		{accounts, "u1", "hush1", "s1"},
		{`{"example.com":` + accounts + `,"shop.example.com":{"username":"u2","password":"hush2","subdomain":"s2"}}`, "u2", "hush2", "s2"},
	} {
		p := provider(t, Config{Provider: ACMEDNS, URL: d.URL + "/", SecretFile: file(t, tt.accounts)})
		if err := set(t.Context(), p, value); err != nil {
			t.Fatal(err)
		}
		got, n := d.last()
		if got.path != "/update" || got.header.Get("X-Api-User") != tt.user || got.header.Get("X-Api-Key") != tt.key {
			t.Errorf("asked %s with %v", got.path, got.header)
		}
		if len(got.body) != 2 || got.body["subdomain"] != tt.subdomain || got.body["txt"] != value {
			t.Errorf("asked for %v", got.body)
		}
		if err := remove(t.Context(), p, value); err != nil {
			t.Error(err)
		}
		if _, after := d.last(); after != n {
			t.Error("there is nothing to remove, and it was asked to")
		}
	}
	// Failures, in words of the server where it has any.
	p := provider(t, Config{Provider: ACMEDNS, URL: d.URL, SecretFile: file(t, accounts)})
	d.answer(http.StatusUnauthorized, `{"error":"forbidden"}`)
	says(t, set(t.Context(), p, value), "through acme-dns", "401", "forbidden")
	p = provider(t, Config{Provider: ACMEDNS, URL: d.URL, SecretFile: file(t, `{"example.org":`+accounts+`}`)})
	says(t, set(t.Context(), p, value), "no account for shop.example.com")
	p = provider(t, Config{Provider: ACMEDNS, URL: d.URL, SecretFile: file(t, `{"password":"hush"}`)})
	says(t, set(t.Context(), p, value), "/register")
	d.Close()
	p = provider(t, Config{Provider: ACMEDNS, URL: d.URL, SecretFile: file(t, accounts)})
	says(t, set(t.Context(), p, value), "refused")
}

func TestAWebhookIsToldWhatToChange(t *testing.T) {
	d := newDesk(t)
	t.Setenv("ROOST_TEST_TOKEN", "hush-token")
	p := provider(t, Config{Provider: Webhook, URL: d.URL + "/hook", SecretEnv: "ROOST_TEST_TOKEN"})
	for verb, do := range map[string]func(context.Context, *Provider, string) error{"present": set, "cleanup": remove} {
		if err := do(t.Context(), p, value); err != nil {
			t.Fatal(err)
		}
		got, _ := d.last()
		if got.path != "/hook" || got.header.Get("Authorization") != "Bearer hush-token" {
			t.Errorf("asked %s with %v", got.path, got.header)
		}
		for key, want := range map[string]string{"action": verb, "zone": "example.com", "name": name, "value": value} {
			if got.body[key] != want {
				t.Errorf("%s is %q, want %q", key, got.body[key], want)
			}
		}
	}
	open := provider(t, Config{Provider: Webhook, URL: d.URL})
	if err := set(t.Context(), open, value); err != nil {
		t.Fatal(err)
	}
	if got, _ := d.last(); got.header.Get("Authorization") != "" {
		t.Error("there is no secret, and one was sent")
	}

	d.answer(http.StatusInternalServerError, "the zone\nis locked"+strings.Repeat(" x", 4000))
	err := set(t.Context(), p, value)
	says(t, err, "through webhook", "500", "the zone is locked")
	if len(err.Error()) > 2000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
	says(t, remove(t.Context(), p, value), "cannot remove the TXT record "+name)
	d.answer(http.StatusTemporaryRedirect, "")
	_, before := d.last()
	says(t, set(t.Context(), p, value), "307", "moved to https://elsewhere.example.com/")
	if _, n := d.last(); n != before+1 {
		t.Error("a redirect was followed")
	}
	t.Setenv("ROOST_TEST_TOKEN", "")
	says(t, set(t.Context(), p, value), "ROOST_TEST_TOKEN is empty")
	nobody := provider(t, Config{Provider: Webhook, URL: "http://127.0.0.1:1/?token=hush"})
	says(t, set(t.Context(), nobody, value), "127.0.0.1:1: ", "refused")
}

func TestAnEndpointThatSaysNothingHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	p := provider(t, Config{Provider: Webhook, URL: "http://" + silent.Addr().String()})
	p.limit = 50 * time.Millisecond
	says(t, set(t.Context(), p, value), "no answer within 50ms")
}
