package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"

	"roost/internal/durable"
	"roost/tls/redisstore"
)

// Options say where Certs keep their files and how CAs reach the box. Dir is required.
type Options struct {
	// Dir is the folder of certificates, accounts and the internal CA; 0700, and
	// everything in it 0600. It belongs to one process at a time. In it are
	// certificates, acme (accounts), ca (see CA), ocsp, locks, tickets.json
	// (keys of session tickets), and corrupt (what could not be used). With a
	// shared storage, certificates and acme are copies of what is there.
	Dir string
	// Log is tagged by the caller; nothing is written when nil.
	Log *slog.Logger
	// HTTPPort and HTTPSPort return the ports that the host listens on, 0 for
	// none (yet); CAs prove names by them. They may be called at any time, by
	// any goroutine, but never while Certs holds a lock of its own.
	HTTPPort, HTTPSPort func() int
	// Tell hears of what happens to certificates; nobody does when nil. It must
	// neither wait nor ask Certs for anything.
	Tell func(Event)
	// AskApp asks an app as a client of domain would, by GET of a path with a query, and returns the status; nil: there are none.
	AskApp func(ctx context.Context, app, target, domain string) (status int, err error)
}

// Certs gets, keeps and renews the certificates of the box, and serves them to
// handshakes.
type Certs struct {
	o       Options
	log     *slog.Logger
	storage fileStorage
	ca      *authority
	mint    *mint
	tickets *tickets
	stapler
	linked atomic.Pointer[link] // the shared storage; nil: there is none

	// Set by tests, before Run.
	check       time.Duration               // how often renewal is considered; 10 min when 0
	looks       time.Duration               // how often files of certificates are looked at
	backoff     func(try int) time.Duration // the wait after the try-th failed attempt
	directories map[string]string           // instead of the CAs' own
	zeroSSLURL  string
	issue       func(ca string, csr *x509.CertificateRequest, ear *ear) (*certmagic.IssuedCertificate, error) // instead of asking CAs
	around      surroundings
	lease       time.Duration // of locks in a shared storage, and
	patience    time.Duration // for its answers; as there when 0

	table atomic.Pointer[table]                // what handshakes read
	acme  atomic.Pointer[map[source]*issuance] // of public names; the newest of each, nil before the first is needed
	root  atomic.Pointer[download]             // of the internal CA; nil: not handed out

	limits   limits     // of CAs
	binding  sync.Mutex // held while it is seen whether accounts are bound
	demanded onDemand   // names that nobody lists

	asks          chan struct{}              // bounds how many names CAs are asked for at a time, be it by a keeper or for a renewal
	loads, orders chan struct{}              // bound how many keepers load, and order, at a time
	wake          chan struct{}              // to Run's loop; holds one
	jobs          chan func(context.Context) // to Run's loop, which starts each; it waits for all
	due           chan struct{}              // a loaded certificate is to be renewed; holds one

	// Set by Run, before anything else can see them.
	cache    *certmagic.Cache
	internal *issuance
	opened   []*redisstore.Redis // to be closed; of Run's loop

	// mu guards all below. It is never held while certmagic's cache is asked,
	// for that asks back (configFor) under locks of its own.
	mu             sync.Mutex
	want           Want
	asked, applied int // counts of Want, and of those that Run has acted on
	entries        map[string]*entry
	dropped        []string
	trusts         trusts
	people         map[string]*rootsFile // of those, by name; the map never changes
	watching       bool                  // files of certificates and of roots
	trouble        error                 // storage or internal CA cannot be used
	running, ended bool
	over           chan struct{} // closed when Run has ended
	moved          chan struct{} // closed and replaced whenever Settle should look again
}

// New makes the folder and checks that it can be read. It starts nothing.
func New(o Options) (*Certs, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of certificates: %w", err)
	}
	if info, err := os.Stat(o.Dir); err != nil {
		return nil, fmt.Errorf("cannot use the folder of certificates: %w", err)
	} else if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(o.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("cannot close the folder of certificates to others: %w", err)
		}
	}
	ca := newAuthority(filepath.Join(o.Dir, "ca"), o.Log)
	c := &Certs{
		o:          o,
		log:        o.Log,
		storage:    newFileStorage(o.Dir),
		ca:         ca,
		mint:       &mint{ca: ca},
		tickets:    newTickets(filepath.Join(o.Dir, "tickets.json"), o.Log),
		stapler:    newStapler(),
		backoff:    backoff,
		looks:      time.Second,
		zeroSSLURL: zeroSSLURL,
		around:     system,
		demanded:   newOnDemand(),
		loads:      make(chan struct{}, 16),
		orders:     make(chan struct{}, 16),
		asks:       make(chan struct{}, 16),
		wake:       make(chan struct{}, 1),
		jobs:       make(chan func(context.Context)),
		due:        make(chan struct{}, 1),
		entries:    map[string]*entry{},
		over:       make(chan struct{}),
		moved:      make(chan struct{}),
	}
	c.table.Store(&table{})
	return c, nil
}

// Run works until ctx ends and returns when all it started has ended. It may be
// called once.
func (c *Certs) Run(ctx context.Context) error {
	c.mu.Lock()
	if c.running || c.ended {
		c.mu.Unlock()
		return errors.New("cannot run certificates twice")
	}
	c.running = true
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.running, c.ended = false, true
		close(c.over)
		c.stir()
		c.mu.Unlock()
	}()

	// Locks found here were left by a process that was killed: the folder is
	// ours alone. certmagic would wait 10 s for each of them.
	if err := os.RemoveAll(filepath.Join(c.o.Dir, "locks")); err != nil {
		return fmt.Errorf("cannot remove the locks of a process that has ended: %w", err)
	}
	check := c.check
	if check == 0 {
		check = certmagic.DefaultRenewCheckInterval
	}
	c.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   c.configFor,
		RenewCheckInterval: check,
		OCSPCheckInterval:  certmagic.DefaultOCSPCheckInterval,
		Logger:             zapTo(c.log, true),
	})
	defer c.cache.Stop()
	c.internal = c.private()
	defer c.demanded.open()()

	defer func() {
		for _, o := range c.opened {
			o.Close()
		}
	}()
	var started sync.WaitGroup
	defer started.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	started.Go(func() { c.staple(ctx) })
	started.Go(func() { c.renewDue(ctx) })
	minute := time.NewTicker(time.Minute) // for what certmagic does without telling, such as stapling
	defer minute.Stop()
	again := time.NewTimer(time.Hour) // certmagic tells of a renewal just before its cache has it
	defer again.Stop()
	clean := time.NewTimer(time.Minute)
	defer clean.Stop()
	c.poke()
	for {
		c.tickets.turn(time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-c.wake:
			c.apply(ctx, &started)
			c.collect()
			again.Reset(time.Second)
		case job := <-c.jobs:
			started.Go(func() { job(ctx) })
		case <-again.C:
			c.collect()
		case <-minute.C:
			c.connect(ctx, &started) // the file of the key may have changed
			c.collect()
			c.forgetFailed()
			c.look()
		case <-clean.C:
			clean.Reset(24 * time.Hour)
			started.Go(func() { c.clean(ctx) })
		}
	}
}

// Want says what certificates there should be. It does not wait: private names
// are ready for handshakes when it returns, public ones when their CA has
// issued. Names that are not in w lose theirs, in memory, not in the storage.
func (c *Certs) Want(w Want) {
	own, people := c.pairs(w.Own), c.rootsFiles(w.Clients)
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Names = append([]string(nil), w.Names...)
	issuers := w.Issuers
	w.Issuers = make(map[string]string, len(issuers))
	for name, issuer := range issuers {
		if name, err := canonical(name); err == nil {
			w.Issuers[name] = issuer
		}
	}
	c.want, c.people, c.trusts = w, people, c.newTrusts(w.Clients, people)
	c.asked++
	next := make(map[string]*entry, len(w.Names))
	for _, name := range w.Names {
		e := newEntry(name, w.Config, w.Issuers)
		if p := own[e.name]; p != nil {
			e.belong(p)
		}
		if next[e.name] != nil {
			continue
		}
		if now := c.entry(e.name); now != nil {
			if now.demand == nil && now.own == e.own && now.internal == e.internal && (e.internal || e.own != nil || now.config == e.config) {
				now.hurry()
				e = now
			} else {
				// Another issuer, or a name that clients came for before it was
				// listed: what is there is served until the keeper has better.
				now.stop()
				e.cert, e.hash, e.old = now.cert, now.hash, now.cert != nil
				if e.own != nil {
					c.dropped = append(c.dropped, e.name)
				}
			}
		}
		if e.own != nil {
			e.reread()
		}
		next[e.name] = e
	}
	for name, e := range c.entries {
		if next[name] == nil {
			e.stop()
			c.dropped = append(c.dropped, name)
		}
	}
	c.entries = next
	c.demandAgain()
	c.publish()
	c.poke()
}

// apply does what the newest Want asks: forgets names, makes the CA ready,
// starts keepers. Only Run's loop calls it.
func (c *Certs) apply(ctx context.Context, started *sync.WaitGroup) {
	c.mu.Lock()
	asked, done := c.asked, c.asked == c.applied
	forget, local, hand := c.dropped, c.want.AnyName, c.want.ServeRoot
	c.dropped = nil
	for _, e := range c.entries {
		local = local || e.internal
	}
	any := len(c.entries) > 0 || c.demanded.wanted != nil
	watch := len(c.want.Own)+len(c.people) > 0 && !c.watching
	c.watching = c.watching || watch
	c.mu.Unlock()
	if watch {
		started.Go(func() { c.watch(ctx) })
	}
	if done {
		return
	}
	c.connect(ctx, started)
	for _, name := range forget {
		c.forget(name)
	}
	var trouble error
	if any {
		trouble = c.probe()
	}
	if local && trouble == nil {
		trouble = c.ca.ready()
	}
	if !hand || trouble != nil {
		c.root.Store(nil)
	} else {
		trouble = c.offer()
	}
	if trouble != nil {
		c.log.Error("certificates are in trouble", "error", trouble)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	c.trouble = trouble
	c.applied = asked
	for _, e := range c.entries {
		if e.cancel == nil && !e.refused && e.own == nil {
			var own context.Context
			own, e.cancel = context.WithCancel(ctx)
			started.Go(func() { c.keep(own, e) })
		}
	}
	c.stir()
}

// probe checks that the storage can be written.
func (c *Certs) probe() error {
	path := filepath.Join(c.o.Dir, "probe")
	if err := durable.WriteFile(path, nil, 0o600); err != nil {
		return fmt.Errorf("cannot store certificates: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("cannot store certificates: %w", err)
	}
	return nil
}

// poke makes Run's loop look at what has changed.
func (c *Certs) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// stir makes every Settle look again. The caller holds c.mu.
func (c *Certs) stir() {
	close(c.moved)
	c.moved = make(chan struct{})
}
