package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"roost/apps"
	"roost/tls"
)

// Options are the host's folders, all of them its own, and its log.
type Options struct {
	RunDir string // the instances' sockets, 0700
	LogDir string // access.log and the apps' output
	TLSDir string // certificates and the internal CA, 0700
	// PM2Home is PM2's folder, when the apps find themselves in its layout; see apps.Options.
	PM2Home string
	// Output takes each line of the apps' output; see apps.Options.
	Output func(apps.Line)
	// Grace is how long connections without a request stay open at the end, when they are told to close; 1 s when zero.
	Grace time.Duration
	// Log takes what changes and what needs a person; nil discards.
	Log *slog.Logger
}

// Host serves sites and keeps apps running.
type Host struct {
	options Options
	log     *slog.Logger
	certs   *tls.Certs
	access  *accessLog
	front   *front
	conns   connections
	servers atomic.Pointer[servers]
	metrics http.Handler
	events  apps.EventStream // of all apps and certificates
	// ports are those that the host listens on, by kind; 0: not (yet).
	ports map[string]*atomic.Int32
	// redirectPort is where plain requests are sent; 0: nowhere.
	redirectPort atomic.Int32

	// stirred has a token when an app does not stand as it did.
	stirred chan struct{}

	wake chan struct{} // has a token when there is something to apply
	done chan struct{} // closed when Run has ended

	mu      sync.Mutex // guards what follows
	begun   bool
	wanted  Config
	asked   int           // counts Want
	applied int           // the last of them that was acted on
	moved   chan struct{} // closed and replaced when applied changes
	change  change        // what the last applied one changed
	view    view          // what Status looks at
}

// view is what runs, as the loop last left it. Its values are not changed any
// more once they are here.
type view struct {
	config   Config
	programs map[string]*program
	folders  map[*Target]*folder // by target of config
	sites    map[string]*figures
	bound    map[string]string       // addresses by kind
	failed   map[string]*ListenError // by kind
}

// New makes the folders of a host. It starts nothing.
func New(o Options) (*Host, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(o.RunDir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of sockets: %w", err)
	}
	if err := os.MkdirAll(o.LogDir, 0o750); err != nil {
		return nil, fmt.Errorf("cannot make the folder of logs: %w", err)
	}
	h := &Host{
		options: o,
		log:     o.Log.With("part", "host"),
		access:  newAccessLog(filepath.Join(o.LogDir, "access.log"), o.Log),
		ports:   map[string]*atomic.Int32{"http": {}, "https": {}},
		wake:    make(chan struct{}, 1),
		stirred: make(chan struct{}, 1),
		done:    make(chan struct{}),
		moved:   make(chan struct{}),
	}
	port := func(kind string) func() int { return func() int { return int(h.ports[kind].Load()) } }
	var err error
	h.certs, err = tls.New(tls.Options{
		Dir: o.TLSDir, Log: o.Log.With("part", "tls"),
		HTTPPort: port("http"), HTTPSPort: port("https"), Tell: h.certificate, AskApp: h.askApp,
	})
	if err != nil {
		return nil, err
	}
	h.front = &front{
		certs: h.certs, log: h.log, access: h.access, unknown: newFigures(), ending: make(chan struct{}),
		httpsPort: func() int { return int(h.redirectPort.Load()) },
	}
	h.front.middleware = newEchoes(h.front.Error)
	h.conns.log, h.conns.many = h.log, make(chan struct{}, 1)
	h.conns.pressure.Store(&defaultPressure)
	h.front.router.Store(newRouter(Config{}, nil))
	h.metrics = newMetrics(h)
	return h, nil
}

// certificate tells of what happens to a certificate.
func (h *Host) certificate(e tls.Event) {
	h.events.Tell(apps.Event{Time: time.Now().UTC(), Certificate: e.Name, Kind: e.Kind, Reason: e.Reason})
}

// Events returns what happens to the instances of all apps and to certificates,
// as apps.EventStream.Follow does.
func (h *Host) Events() (events <-chan apps.Event, stop func()) { return h.events.Follow() }

// Want says what should be from now on. It does not wait.
func (h *Host) Want(c Config) {
	c = c.Clone()
	h.mu.Lock()
	h.wanted = c
	h.asked++
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// ErrEnded is returned once Run has ended.
var ErrEnded = errors.New("the host has ended")

// Settle waits until what the last Want changed is so: listeners bound,
// changed apps as wanted, folders read, certificates of the internal CA made.
// It never waits for a CA on the network. The error holds an *apps.Failure for
// each app and a *ListenError for each listener that cannot become as wanted,
// or is ctx's cause, or ErrEnded.
func (h *Host) Settle(ctx context.Context) error {
	h.mu.Lock()
	asked := h.asked
	for h.applied < asked {
		moved := h.moved
		h.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-h.done:
			return ErrEnded
		}
		h.mu.Lock()
	}
	change := h.change
	h.mu.Unlock()
	err := change.settle(ctx, h)
	select {
	case <-h.done:
		return ErrEnded
	default:
		return err
	}
}

// Run serves until ctx ends, then stops in order: it accepts no more, lets
// requests finish (10 s at most), cuts what is left, stops the apps (each
// within its kill timeout), and returns when all it started has ended. It may
// be called once.
func (h *Host) Run(ctx context.Context) error {
	h.mu.Lock()
	again := h.begun
	h.begun = true
	h.mu.Unlock()
	if again {
		return errors.New("cannot run a host twice")
	}
	defer close(h.done)
	l := newLoop(h)
	l.start()
	defer l.stop()
	retry := time.NewTimer(time.Hour)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.wake:
			l.apply(ctx)
		case <-h.stirred:
			if l.config.depends() {
				l.hold(l.config)
			}
		case <-retry.C:
			l.retry(ctx)
		}
		retry.Stop()
		if l.pending() {
			retry.Reset(retryEvery)
		}
	}
}

// stir has the loop look at how the apps stand.
func (h *Host) stir() {
	select {
	case h.stirred <- struct{}{}:
	default:
	}
}

const (
	retryEvery = time.Second      // to bind what could not be bound
	drainLimit = 10 * time.Second // for requests at the end
	// defaultGrace is what a client may need to hear of it
	defaultGrace = time.Second
)

// App returns the app of that name, nil when there is none.
func (h *Host) App(name string) *apps.App {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.view.programs[name]; p != nil {
		return p.app
	}
	return nil
}

// Apps returns all apps in the order of the Config.
func (h *Host) Apps() []*apps.App {
	v := h.look()
	all := make([]*apps.App, 0, len(v.config.Apps))
	for _, a := range v.config.Apps {
		if p := v.programs[a.Name]; p != nil {
			all = append(all, p.app)
		}
	}
	return all
}

// Measure takes the CPU and memory figures of all apps anew, in one scan of
// the process table; at most once a second.
func (h *Host) Measure() { apps.Measure(h.Apps()) }

// CA tells of the internal CA, made when there is none.
func (h *Host) CA() (tls.CA, error) { return h.certs.CA() }

// Renew gets a new certificate for a name now, as tls.Certs.Renew does.
func (h *Host) Renew(ctx context.Context, name string) error { return h.certs.Renew(ctx, name) }

// Metrics serves all figures in Prometheus' text format.
func (h *Host) Metrics() http.Handler { return h.metrics }

func (h *Host) look() view {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.view
}
