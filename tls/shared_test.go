package tls

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"roost/internal/testca"
	"roost/internal/testredis"
)

// sharedBy is a Config of the CA and a server of Redis, with a key.
func sharedBy(t *testing.T, ca *acmeCA, server *testredis.Server) Config {
	t.Helper()
	return Config{Issuer: ca.directory, CARoot: ca.root, Storage: StorageURL(server.URL), StorageKeyFile: storageKey(t, 'k')}
}

func storageKey(t *testing.T, letter byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "storage.key")
	writeFile(t, file, hex.EncodeToString([]byte(strings.Repeat(string(letter), 32)))+"\n")
	return file
}

// hasty has a box try again soon. A server that is down is known at once, and one that is busy has time.
func hasty(c *Certs) { c.backoff, c.patience = soon, 20*time.Second }

func serialOf(t *testing.T, b *box, name string) string {
	t.Helper()
	return b.leaf(t, name).SerialNumber.String()
}

func TestTwoBoxesThatShareAStorageOrderOnceAndServeTheSame(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	names := []string{"one.shared.example.com", "two.shared.example.com", "three.shared.example.com"}
	a := newBox(t, Options{}, true, true, hasty)
	b := newBox(t, Options{}, true, true, hasty)
	ca := newACME(t, acmeOptions{httpPort: a.httpPort, tlsPort: a.httpsPort})
	want := Want{Config: sharedBy(t, ca, server), Names: append([]string{"localhost"}, names...)}
	var both sync.WaitGroup
	for _, box := range []*box{a, b} {
		both.Go(func() { box.Want(want) })
	}
	both.Wait()
	for _, name := range names {
		if x, y := serialOf(t, a, name), serialOf(t, b, name); x != y {
			t.Errorf("%s: %s and %s", name, x, y)
		}
		for _, box := range []*box{a, b} {
			if _, err := dial(box.https, &tls.Config{ServerName: name, RootCAs: ca.pool}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if n := ca.orders.Load(); n != int32(len(names)) {
		t.Errorf("%d orders for %d names", n, len(names))
	}
	for _, key := range server.Keys(t, "roost:value:*") {
		if raw := server.Do(t, "GET", key).(string); strings.Contains(raw, "-----BEGIN") || strings.Contains(raw, "{") && strings.Contains(raw, "sans") {
			t.Errorf("%s can be read by who can read the server", key)
		}
	}
	// Private names are each box's own.
	for _, box := range []*box{a, b} {
		if _, err := dial(box.https, client(t, box.Certs, "localhost")); err != nil {
			t.Error(err)
		}
	}
	if left := server.Keys(t, "roost:value:certificates/internal/*"); len(left) > 0 {
		t.Errorf("of the internal CA: %v", left)
	}
	// What one of them renews, the other serves, soon and without an order.
	before, orders := serialOf(t, b, names[0]), ca.orders.Load()
	if err := a.Renew(t.Context(), names[0]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other serves what one has renewed", func() bool {
		x, y := serialOf(t, a, names[0]), serialOf(t, b, names[0])
		return x == y && x != before
	})
	if n := ca.orders.Load() - orders; n != 1 {
		t.Errorf("%d orders for a renewal", n)
	}
}

func TestASessionThatOneBoxBeganIsTakenUpByAnother(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	a := newBox(t, Options{}, true, true, hasty)
	b := newBox(t, Options{}, true, true, hasty)
	ca := newACME(t, acmeOptions{httpPort: a.httpPort, tlsPort: a.httpsPort})
	want := Want{Config: sharedBy(t, ca, server), Names: []string{"session.example.com"}}
	for _, box := range []*box{a, b} {
		box.Want(want)
		box.valid(t, "session.example.com")
	}
	newest := func(b *box) string {
		b.tickets.mu.Lock()
		defer b.tickets.mu.Unlock()
		return string(b.tickets.keys[0].Key)
	}
	eventually(t, "both give tickets under one key", func() bool { return newest(a) == newest(b) })
	config := &tls.Config{ServerName: "session.example.com", RootCAs: ca.pool, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	if state, err := dial(a.https, config); err != nil || state.DidResume {
		t.Fatalf("first: %v, %v", state.DidResume, err)
	}
	if state, err := dial(b.https, config); err != nil || !state.DidResume {
		t.Errorf("at the other: resumed %v, %v", state.DidResume, err)
	}
	// When it is time, one of them makes the next, for both.
	old := newest(a)
	text, err := a.linked.Load().to.Load(t.Context(), "tickets.json")
	if err != nil {
		t.Fatal(err)
	}
	made := a.tickets.keys[0].Made
	aged := strings.ReplaceAll(string(text), made.Format(time.RFC3339Nano), made.Add(-ticketTurn).Format(time.RFC3339Nano))
	if aged == string(text) {
		t.Fatalf("%s is not in %s", made, text)
	}
	if err := a.linked.Load().to.Store(t.Context(), "tickets.json", []byte(aged)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both have the next", func() bool { return newest(a) == newest(b) && newest(a) != old })
	if state, err := dial(b.https, config); err != nil || !state.DidResume {
		t.Errorf("under the key of before: resumed %v, %v", state.DidResume, err)
	}
}

func TestASharedStorageThatIsDownHoldsUpOnlyWhatIsNotThereYet(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	server.Stop()
	told := &testLog{t: t}
	o := Options{Dir: t.TempDir(), Log: slogTo(told)}
	const name, late = "down.example.com", "late.down.example.com"
	var b *box
	var ca *acmeCA
	var config Config
	all := t
	t.Run("at the start, and while it serves", func(t *testing.T) {
		b = newBox(t, o, true, true, hasty)
		ca = newACME(all, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
		config = sharedBy(all, ca, server)
		b.Want(Want{Config: config, Names: []string{"localhost", name}})
		settle(t, b.Certs)
		if _, err := dial(b.https, client(t, b.Certs, "localhost")); err != nil {
			t.Errorf("localhost: %v", err)
		}
		eventually(t, "the trouble is told", func() bool {
			p := b.StorageProblem()
			return strings.Contains(p, server.URL+" cannot be reached") && strings.Contains(p, "see that redis-server runs")
		})
		if s := status(b.Certs, name); s.State != Waiting || s.Orders != 0 || s.Problem != "" {
			t.Errorf("status: %+v", s)
		}
		server.Start(t)
		b.valid(t, name)
		eventually(t, "no trouble is told", func() bool { return b.StorageProblem() == "" })
		server.Stop()
		b.Want(Want{Config: config, Names: []string{"localhost", name, late}})
		settle(t, b.Certs)
		eventually(t, "it is told again", func() bool { return b.StorageProblem() != "" })
		if _, err := dial(b.https, &tls.Config{ServerName: name, RootCAs: ca.pool}); err != nil {
			t.Errorf("from memory: %v", err)
		}
		if err := b.Renew(t.Context(), name); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
			t.Errorf("renewal: %v", err)
		}
		server.Start(t) // it has forgotten everything
		b.valid(t, late)
		if _, err := dial(b.https, &tls.Config{ServerName: name, RootCAs: ca.pool}); err != nil {
			t.Errorf("when it is back: %v", err)
		}
		eventually(t, "what it had is put back", func() bool { return len(server.Keys(t, "roost:value:certificates/*/"+name+".json")) == 1 })
		server.Stop()
	})
	if n := strings.Count(told.String(), "the shared storage is in trouble"); n < 1 || n > 6 {
		t.Errorf("the log tells it %d times", n)
	}
	orders := ca.orders.Load()
	if orders != 2 {
		t.Errorf("%d orders for two names", orders)
	}
	// A box that starts now serves what it has seen there.
	o.Log = nil
	again := newBox(t, o, true, true, hasty)
	again.Want(Want{Config: config, Names: []string{name, late}})
	settle(t, again.Certs)
	for _, n := range []string{name, late} {
		if _, err := dial(again.https, &tls.Config{ServerName: n, RootCAs: ca.pool}); err != nil {
			t.Errorf("%s, from the copy: %v", n, err)
		}
	}
	if again.StorageProblem() == "" {
		t.Error("nothing is told")
	}
	server.Start(t)
	eventually(t, "it is well", func() bool { return again.StorageProblem() == "" })
	if again.valid(t, name); ca.orders.Load() != orders {
		t.Errorf("%d more orders", ca.orders.Load()-orders)
	}
}

func TestAnOrderSurvivesAServerThatDiesMeanwhile(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	const name = "meanwhile.example.com"
	a := newBox(t, Options{}, true, true, hasty)
	ca := newACME(t, acmeOptions{httpPort: a.httpPort, tlsPort: a.httpsPort})
	a.Want(Want{Config: sharedBy(t, ca, server), Names: []string{name}})
	eventually(t, "it is ordered", func() bool { return ca.orders.Load() > 0 })
	server.Stop()
	server.Start(t)
	a.valid(t, name)
	eventually(t, "it is stored, and all is well", func() bool {
		return len(server.Keys(t, "roost:value:certificates/*/"+name+".json")) == 1 && a.StorageProblem() == ""
	})
	if _, err := dial(a.https, &tls.Config{ServerName: name, RootCAs: ca.pool}); err != nil {
		t.Error(err)
	}
}

func TestAnAccountThatIsBeingStoredIsNotTakenForAnAddress(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	b := newBox(t, Options{}, true, true, hasty)
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	config := sharedBy(t, ca, server)
	b.Want(Want{Config: config, Names: []string{"first.account.example.com"}})
	b.valid(t, "first.account.example.com")
	// Another box has stored the particulars of the account, and not yet its key.
	s := b.linked.Load().to
	keys, err := s.List(t.Context(), "acme", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if strings.HasSuffix(key, "/users/default/default.key") {
			if err := s.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.Want(Want{Config: config, Names: []string{"first.account.example.com", "second.account.example.com"}})
	b.valid(t, "second.account.example.com")
}

func TestWhatIsInFilesGoesIntoTheStorageWhenOneIsShared(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	told := &testLog{t: t}
	const name = "moved.example.com"
	a := newBox(t, Options{Log: slogTo(told)}, true, true, hasty)
	ca := newACME(t, acmeOptions{httpPort: a.httpPort, tlsPort: a.httpsPort})
	config := sharedBy(t, ca, server)
	files := config
	files.Storage, files.StorageKeyFile = "", ""
	a.Want(Want{Config: files, Names: []string{name}})
	serial := serialOf(t, a, name)
	a.Want(Want{Config: config, Names: []string{name}})
	settle(t, a.Certs)
	a.valid(t, name)
	b := newBox(t, Options{}, true, true, hasty)
	b.Want(Want{Config: config, Names: []string{name, "more.moved.example.com"}})
	if got := serialOf(t, b, name); got != serial || serialOf(t, a, name) != serial {
		t.Errorf("another certificate: %s, not %s", got, serial)
	}
	b.valid(t, "more.moved.example.com")
	a.Want(Want{Config: config, Names: []string{name, "more.moved.example.com", "most.moved.example.com"}})
	a.valid(t, "most.moved.example.com")
	if n := ca.orders.Load(); n != 3 {
		t.Errorf("%d orders for three names", n)
	}
	if !strings.Contains(told.String(), "a certificate of this box is in the storage now") {
		t.Error("the log does not tell of it")
	}
}

func TestAStorageThatIsLeftHasNoConnectionAnyMore(t *testing.T) {
	t.Parallel()
	servers := []*testredis.Server{testredis.Start(t), testredis.Start(t)}
	b := newBox(t, Options{}, true, true, hasty)
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	use := func(config Config) {
		t.Helper()
		b.Want(Want{Config: config, Names: []string{"switched.example.com"}})
		settle(t, b.Certs)
		b.valid(t, "switched.example.com")
	}
	shared := []Config{sharedBy(t, ca, servers[0]), sharedBy(t, ca, servers[1])}
	for n := range 4 {
		use(shared[n%2])
	}
	use(Config{Issuer: ca.directory, CARoot: ca.root})
	for _, server := range servers {
		eventually(t, "its connections are closed", func() bool { // all but the one that asks
			return strings.Count(server.Do(t, "CLIENT", "LIST").(string), "\n") == 1
		})
	}
	if n := ca.orders.Load(); n != 1 {
		t.Errorf("%d orders", n)
	}
}

func TestACertificateOfBeforeThatIsPutBackIsNotServed(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	const name = "putback.example.com"
	b := newBox(t, Options{}, true, true, hasty)
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	b.Want(Want{Config: sharedBy(t, ca, server), Names: []string{name}})
	serial := serialOf(t, b, name)
	s := b.linked.Load().to
	keys, err := s.List(t.Context(), "certificates", true)
	if err != nil || len(keys) != 3 {
		t.Fatalf("%q, %v", keys, err)
	}
	put := func(from, until time.Time) {
		t.Helper()
		cert, key := testca.New(t, "Root").Site(func(as *x509.Certificate) { as.NotBefore, as.NotAfter = from, until }, name)
		for _, at := range keys {
			value := cert
			switch filepath.Ext(at) {
			case ".key":
				value = key
			case ".json":
				continue
			}
			if err := s.Redis.Store(t.Context(), at, value); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.catchUp(t.Context(), s, 0); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	put(now.Add(-24*time.Hour), now.Add(time.Hour))
	if got := b.newest(name).Leaf.SerialNumber.String(); got != serial { // what will be served
		t.Error("one that was put back is taken over")
	}
	put(now.Add(-time.Minute), now.Add(200*24*time.Hour)) // not older in all
	eventually(t, "another is", func() bool { return serialOf(t, b, name) != serial })
}

func TestABoxWithAnotherKeyOrdersNothing(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	const name = "key.example.com"
	a := newBox(t, Options{}, true, true, hasty)
	b := newBox(t, Options{}, true, true, hasty)
	ca := newACME(t, acmeOptions{httpPort: a.httpPort, tlsPort: a.httpsPort})
	config := sharedBy(t, ca, server)
	a.Want(Want{Config: config, Names: []string{name}})
	serial := serialOf(t, a, name)
	right := config.StorageKeyFile
	config.StorageKeyFile = storageKey(t, 'x')
	b.Want(Want{Config: config, Names: []string{name}})
	settle(t, b.Certs)
	eventually(t, "it is told", func() bool { return strings.Contains(b.StorageProblem(), "another key than this box has") })
	if s := status(b.Certs, name); s.State != Waiting || ca.orders.Load() != 1 {
		t.Errorf("%d orders, status %+v", ca.orders.Load(), s)
	}
	config.StorageKeyFile = right
	b.Want(Want{Config: config, Names: []string{name}})
	settle(t, b.Certs)
	if got := serialOf(t, b, name); got != serial || b.StorageProblem() != "" {
		t.Errorf("serial %s, not %s; %s", got, serial, b.StorageProblem())
	}
}

func TestWhatWasTamperedWithIsPutRight(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	told := &testLog{t: t}
	const name = "tampered.example.com"
	a := newBox(t, Options{Log: slogTo(told)}, true, true, hasty)
	ca := newACME(t, acmeOptions{httpPort: a.httpPort, tlsPort: a.httpsPort})
	want := Want{Config: sharedBy(t, ca, server), Names: []string{name}}
	a.Want(want)
	serial := serialOf(t, a, name)
	tamper := func() {
		for _, key := range server.Keys(t, "roost:value:certificates/*.key") {
			server.Do(t, "SETRANGE", key, 60, "tampered")
		}
	}
	// A box that has a copy puts that back.
	tamper()
	a.Want(Want{Config: want.Config})
	settle(t, a.Certs)
	a.Want(want)
	settle(t, a.Certs)
	if got := serialOf(t, a, name); got != serial || ca.orders.Load() != 1 {
		t.Errorf("serial %s, not %s, %d orders", got, serial, ca.orders.Load())
	}
	// One that has none orders anew, once, and the other takes that over.
	tamper()
	b := newBox(t, Options{}, true, true, hasty)
	b.Want(want)
	if got := serialOf(t, b, name); got == serial {
		t.Error("what was tampered with is served")
	}
	eventually(t, "both serve the new one", func() bool { return serialOf(t, a, name) == serialOf(t, b, name) })
	if n := ca.orders.Load(); n != 2 {
		t.Errorf("%d orders", n)
	}
	if n := strings.Count(told.String(), "a stored certificate cannot be used"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// lone makes this process a box that orders, and cannot be reached by the CA:
// the directory, the file of its root, the server of Redis, the file of the key,
// the name, the port of HTTP, that of HTTPS, how long a lock outlives its holder.
const lone = "ROOST_TEST_LONE_BOX"

func init() {
	if words := strings.Fields(os.Getenv(lone)); len(words) == 8 {
		if err := runLone(words); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

func runLone(words []string) error {
	port := func(n int) func() int {
		return func() int { p, _ := strconv.Atoi(words[n]); return p }
	}
	dir, err := os.MkdirTemp("", "lone")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c, err := New(Options{Dir: dir, HTTPPort: port(5), HTTPSPort: port(6), Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	hasty(c)
	if c.lease, err = time.ParseDuration(words[7]); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	c.Want(Want{Names: []string{words[4]}, Config: Config{Issuer: words[0], CARoot: words[1], Storage: StorageURL(words[2]), StorageKeyFile: words[3]}})
	for deadline := time.Now().Add(60 * time.Second); status(c, words[4]).State != Valid && time.Now().Before(deadline); {
		<-time.After(20 * time.Millisecond)
	}
	fmt.Println(status(c, words[4]).State)
	io.Copy(io.Discard, os.Stdin) // until the test has seen it
	stop()
	return <-ended
}

// loneBox is such a process, until the test ends.
type loneBox struct {
	*os.Process
	stdout *bufio.Reader
	log    *testLog
}

func startLone(t *testing.T, b *box, config Config, name, lease string) *loneBox {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %s %s %d %d %s", lone,
		config.Issuer, config.CARoot, string(config.Storage), config.StorageKeyFile, name, b.httpPort, b.httpsPort, lease))
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log := &testLog{t: t}
	child.Stderr = log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		child.Wait()
	})
	return &loneBox{child.Process, bufio.NewReader(stdout), log}
}

// valid waits until it has its certificate.
func (l *loneBox) valid(t *testing.T) {
	t.Helper()
	if said, err := l.stdout.ReadString('\n'); said != "valid\n" {
		t.Fatalf("the other box says %q, %v", said, err)
	}
}

func TestAChallengeThatMeetsAnotherBoxIsAnsweredThere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ how, wanted string }{{"http", "listed"}, {"tls", "listed"}, {"http", "on demand"}, {"tls", "on demand"}} {
		how, demanded := test.how, test.wanted == "on demand"
		t.Run(how+" "+test.wanted, func(t *testing.T) {
			t.Parallel()
			server := testredis.Start(t)
			name := unique(how)
			b := newBox(t, Options{}, how == "http", true, hasty)
			o := acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort}
			if how == "http" {
				o.tlsPort = 1
			} else {
				o.httpPort = 1
			}
			ca := newACME(t, o)
			config := sharedBy(t, ca, server)
			want := Want{Config: config, OnDemand: []Demand{{OnDemand: OnDemand{Allow: []string{name}}, Names: []string{"*"}}}}
			if demanded { // and no client has come to this box for anything
				b.Want(want)
				settle(t, b.Certs)
			} else { // this box gets its own first, and is not told of the other name
				want = Want{Config: config, Names: []string{"first." + name, name}}
				b.Want(Want{Config: config, Names: []string{"first." + name}})
				b.valid(t, "first."+name)
			}
			challenged := b.challenged.Load()
			startLone(t, b, config, name, "30s").valid(t)
			if how == "http" && b.challenged.Load() == challenged {
				t.Error("this box answered nothing")
			}
			// And it serves what the other has got, when that is wanted here.
			orders := ca.orders.Load()
			b.Want(want)
			if demanded {
				serves(t, b.https, name, ca.pool)
			}
			if b.valid(t, name); ca.orders.Load() != orders {
				t.Error("ordered again")
			}
		})
	}
}
