package apps

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options are an app's surroundings.
type Options struct {
	// RunDir is an existing folder, 0700, for the instances' sockets. It
	// becomes 0711 when an app runs as another user, who must reach its own.
	RunDir string
	// LogDir is the folder of <app>-out.log and <app>-error.log.
	LogDir string
	// PM2Home, when set, has instances find what PM2 gives them (pm2env.go), and their process ids in its folder pids.
	PM2Home string
	// Log takes what people should know; none when nil.
	Log *slog.Logger
	// Output takes each line of the apps' output, besides the log files, when not
	// nil: from several goroutines, and a slow one holds the programs up.
	Output func(Line)
	// Events takes what happens to instances; nobody hears of it when nil.
	Events *EventStream
	// Changed is told, when not nil, that instances or the failure in Status are not
	// what they were. It must not wait.
	Changed func()
	// Error writes an error page (502, 503, 504) for a request that no instance
	// answered; http.Error when nil.
	Error func(w http.ResponseWriter, r *http.Request, status int)
}

// App is one application. All its state belongs to the goroutine in Run; the
// other methods reach it by closures that Run calls, requests see only the
// pool's snapshot, and Status the one in standing.
type App struct {
	o      Options
	pool   *pool
	ports  *ports
	usage  usageTable
	pids   pidFiles
	spawn  func(launch) proc
	jitter func() float64 // 0 to 1

	standing atomic.Pointer[standing]
	problem  atomic.Pointer[string] // see setProblem
	wake     chan struct{}          // has a token when there is mail or news
	done     chan struct{}          // closed when Run has ended

	mu    sync.Mutex // guards what follows
	mail  []func()
	begun bool
	book  *logBook // from the first Want on

	// The fields below belong to Run.
	log      *slog.Logger
	wanted   Wanted
	want     want
	slots    []slot
	wait     Wait     // for other apps
	hopeless *Failure // that of what is waited for
	clock    clock    // of cron_restart or schedule

	watching     *watching // nil: nothing
	unwatch      context.CancelFunc
	watchProblem string

	changing  bool         // the last Want changed something that is not reached yet
	failure   *Failure     // why it cannot be
	settle    []chan error // callers of Settle
	untold    []Event      // what has happened that nobody was told of yet
	published []*endpoint
	refusing  bool
	ending    bool
	watchers  sync.WaitGroup
}

// launch is what a new process is told.
type launch struct {
	wanted     *Wanted
	slot       int
	revision   int
	first      bool   // nothing has run in the slot since it was wanted
	restarts   int    // of the slot so far
	fails      int    // of its instances in a row
	mustListen bool   // ready means that it takes requests
	changed    func() // to be called when PID or Endpoint has changed
	tell       func(Event)
}

// New returns an app of which nothing is wanted yet. Run makes it work.
func New(o Options) *App {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Events == nil {
		o.Events = &EventStream{}
	}
	a := &App{
		o:      o,
		pool:   newPool(poolOptions{log: o.Log, fail: o.Error}),
		ports:  newPorts(),
		jitter: random,
		log:    o.Log,
		wake:   make(chan struct{}, 1),
		done:   make(chan struct{}),
	}
	a.spawn = a.spawnProgram
	a.standing.Store(&standing{})
	return a
}

// ServeHTTP forwards a request to a ready instance.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.pool.ServeHTTP(w, r) }

// Want says what the app should be from now on. It does not wait, and may be
// called before Run. What concerns only requests and logs holds at once; the
// rest holds for instances that start from now on.
func (a *App) Want(w Wanted) {
	w.Slots = slices.Clone(w.Slots)
	w.Env, w.Environ = maps.Clone(w.Env), maps.Clone(w.Environ)
	a.mu.Lock()
	if a.book == nil {
		a.book = newLogBook(a.logLayout(), w.Name, a.o.Log)
		a.book.output = a.o.Output
	}
	a.book.want(&w)
	a.mu.Unlock()
	a.pool.limits(time.Duration(w.QueueTimeout), w.QueueLimit)
	a.pool.stick(w.Sticky, w.Name)
	a.post(func() { a.change(w) })
}

// Settle waits until the app is as wanted, or says why it cannot be: the
// error is a *Failure, ctx's cause, or ErrEnded. An app whose instances fail
// later, with nothing new wanted of it, is settled.
func (a *App) Settle(ctx context.Context) error {
	c := make(chan error, 1)
	a.post(func() { a.settle = append(a.settle, c) })
	select {
	case err := <-c:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-a.done:
		return ErrEnded
	}
}

// ErrEnded is returned once an app's Run ends or has ended.
var ErrEnded = errors.New("the app is no longer supervised")

// Reset sets the restart counters to 0 and forgets failures. Status shows it
// when Reset returns.
func (a *App) Reset() {
	c := make(chan struct{})
	running := a.post(func() {
		for n := range a.slots {
			a.slots[n].restarts, a.slots[n].fails = 0, 0
		}
		a.show()
		close(c)
	})
	if !running {
		return
	}
	select {
	case <-c:
	case <-a.done:
	}
}

// post has Run call f; it never waits. It reports whether Run runs now.
func (a *App) post(f func()) bool {
	select {
	case <-a.done:
		return false
	default:
	}
	a.mu.Lock()
	a.mail = append(a.mail, f)
	running := a.begun
	a.mu.Unlock()
	a.poke()
	return running
}

// poke makes Run look at everything again.
func (a *App) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *App) take() []func() {
	a.mu.Lock()
	defer a.mu.Unlock()
	mail := a.mail
	a.mail = nil
	return mail
}

// Run keeps the app as wanted until ctx ends, then stops it. It returns when
// the last process has exited, and may be called once.
func (a *App) Run(ctx context.Context) error {
	a.mu.Lock()
	again := a.begun
	a.begun = true
	a.mu.Unlock()
	if again {
		return errors.New("cannot run an app twice")
	}
	done := ctx.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		for _, f := range a.take() {
			f()
		}
		a.tell()
		now := time.Now()
		a.keepTime(now)
		a.nurse(now)
		acts, wake := plan(now, a.want, a.slots)
		wake = earlier(wake, a.clock.wake(now))
		for _, act := range acts {
			a.do(act)
		}
		a.publish()
		a.prune()
		a.conclude()
		a.show()
		a.tell()
		a.report()
		if a.ending && len(a.slots) == 0 {
			break
		}
		if len(acts) > 0 {
			continue // acting may have made more to do
		}
		timer.Stop()
		if !wake.IsZero() {
			timer.Reset(time.Until(wake))
		}
		select {
		case <-a.wake:
		case <-timer.C:
		case <-done:
			done, a.ending = nil, true
			a.want, a.clock, a.wanted.Watch = want{}, clock{}, nil
			a.setWatch()
		}
	}
	a.watchers.Wait()
	close(a.done)
	a.ports.close()
	if book := a.logs(); book != nil {
		return book.close()
	}
	return nil
}
