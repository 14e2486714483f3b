package apps

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"roost/apps/node"
)

// program is a real process with its tree, its sockets and its output.
type program struct {
	launch
	log      *slog.Logger
	ports    *ports
	pidFiles *pidFiles
	problem  func(what string) // App.setProblem
	runDir   string
	pm2Home  string
	layout   logLayout
	out      *lineWriter
	errors   *lineWriter

	// mark is in the environment of the whole tree (ROOST_INSTANCE), by which
	// processes are found that have left the group and lost their parent.
	mark  string
	kind  kind // valid once prepared
	group *cgroup

	ready, exited, told, located, drained, killed chan struct{}
	readyOnce, toldOnce, locatedOnce, drainedOnce sync.Once

	pid      atomic.Int64
	busy     atomic.Int64 // the port that it could not have
	node     atomic.Pointer[channel]
	talk     atomic.Pointer[talk]
	found    atomic.Pointer[checkup]
	watchdog watchdog
	in       atomic.Pointer[input]
	end      outcome // valid once exited is closed

	// life guards what follows. Signals are sent, and the process is reaped,
	// under it: a signal never meets another process that got the same pid.
	life     sync.Mutex
	cmd      *exec.Cmd
	live     bool // started and not reaped
	stopping bool
	cause    string

	mu        sync.Mutex // guards what follows
	endpoint  *endpoint
	endpoints []*endpoint // all there have been
	cleanups  []func()
}

func (a *App) spawnProgram(l launch) proc {
	book := a.logs()
	p := &program{
		launch:   l,
		log:      a.log.With("slot", l.slot, "revision", l.revision),
		ports:    a.ports,
		pidFiles: &a.pids,
		problem:  a.setProblem,
		runDir:   a.o.RunDir,
		pm2Home:  a.o.PM2Home,
		layout:   a.logLayout(),
		out:      book.writer(l.slot, "out"),
		errors:   book.writer(l.slot, "err"),
		mark:     newMark(a.o.RunDir, l.wanted.treekill()),
	}
	for _, c := range []*chan struct{}{&p.ready, &p.exited, &p.told, &p.located, &p.drained, &p.killed} {
		*c = make(chan struct{})
	}
	go p.run()
	return p
}

func (p *program) PID() int                { return int(p.pid.Load()) }
func (p *program) Ready() <-chan struct{}  { return p.ready }
func (p *program) Exited() <-chan struct{} { return p.exited }
func (p *program) Note() string            { return p.watchdog.Note() }
func (p *program) Outcome() outcome        { return p.end }
func (p *program) Lag() node.Lag           { return p.node.Load().lag() }
func (p *program) Talk() *talk             { return p.talk.Load() }
func (p *program) Input(text []byte) error { return p.in.Load().write(text) }

func (p *program) Endpoint() *endpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.endpoint
}

// reachable says where requests reach the instance from now on; nil: nowhere.
func (p *program) reachable(e *endpoint) {
	p.mu.Lock()
	p.endpoint = e
	if e != nil {
		e.slot = p.slot
		p.endpoints = append(p.endpoints, e)
	}
	p.mu.Unlock()
	p.changed()
}

func (p *program) isReady()   { p.readyOnce.Do(func() { close(p.ready) }) }
func (p *program) isTold()    { p.toldOnce.Do(func() { close(p.told) }) }
func (p *program) isLocated() { p.locatedOnce.Do(func() { close(p.located) }) }

// later has f called once the process has ended, the last one first.
func (p *program) later(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, f)
}

// Last is the last of what it said on stderr, else on stdout.
func (p *program) Last(n int) []string {
	if lines := p.errors.last(n); len(lines) > 0 {
		return lines
	}
	return p.out.last(n)
}

// run is the whole life of the process.
func (p *program) run() {
	defer close(p.exited)
	defer p.clean()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var helpers sync.WaitGroup // they end with ctx
	output, err := p.start(ctx, &helpers)
	if err == nil {
		p.awaitExit()
		pid := int(p.pid.Swap(0))
		cancel()
		p.clear()
		p.end = p.reap()
		p.end.pid = pid
		output.drain()
		p.group.remove()
	} else {
		p.end = outcome{err: err}
	}
	p.end.port = int(p.busy.Load())
	cancel()
	helpers.Wait()
	p.out.Close()
	p.errors.Close()
}

func (p *program) clean() {
	p.mu.Lock()
	p.endpoint = nil
	endpoints, cleanups := p.endpoints, p.cleanups
	p.mu.Unlock()
	for _, e := range endpoints {
		e.close()
	}
	for _, f := range slices.Backward(cleanups) {
		f()
	}
}

// start prepares the program and starts it, with its helpers.
func (p *program) start(ctx context.Context, helpers *sync.WaitGroup) (*output, error) {
	s, err := p.prepare()
	defer s.close()
	if err != nil {
		return nil, err
	}
	output, err := newOutput(s.user, p.out, p.errors)
	if err != nil {
		return nil, err
	}
	defer output.started()
	in, err := newInput(s.user)
	if err != nil {
		output.abandon()
		return nil, err
	}
	defer in.child.Close()
	p.later(in.close)
	maps.Copy(s.env, s.ours)
	cmd := &exec.Cmd{
		Path: s.argv[0], Args: s.argv, Dir: p.wanted.Cwd,
		Env:   environList(s.env),
		Stdin: in.child, Stdout: output.outWriter, Stderr: output.errWriter, ExtraFiles: s.files,
	}
	if s.finish != nil {
		cmd.Env = s.finish(cmd.Env)
	}
	if err := p.fork(cmd, s.user); err != nil {
		output.abandon()
		return nil, err
	}
	p.tell(Event{Kind: EventStart, PID: cmd.Process.Pid})
	p.changed()
	p.in.Store(in)
	p.writePIDFile()
	output.pump(helpers)
	for _, help := range s.helpers {
		helpers.Go(func() { help(ctx) })
	}
	helpers.Go(func() { p.awaitReady(ctx) })
	return output, nil
}

// fork starts cmd unless it has been asked to stop meanwhile.
func (p *program) fork(cmd *exec.Cmd, who *account) error {
	p.life.Lock()
	defer p.life.Unlock()
	if p.stopping || isClosed(p.killed) {
		return fmt.Errorf("was stopped before it started")
	}
	if p.wanted.treekill() || p.wanted.MemoryMax > 0 {
		p.group = newCgroup(p.mark)
	}
	err := p.limit(func() error { return p.group.start(cmd, who) })
	if err != nil {
		p.group.remove()
		return fmt.Errorf("cannot start %s: %w", cmd.Path, err)
	}
	p.cmd, p.live = cmd, true
	p.pid.Store(int64(cmd.Process.Pid))
	return nil
}

// reap takes the exit status of the process, which has ended.
func (p *program) reap() outcome {
	p.life.Lock()
	defer p.life.Unlock()
	p.live = false
	var err error
	if p.cmd.ProcessState == nil {
		err = p.cmd.Wait()
	}
	o := outcome{cause: cmp.Or(p.cause, p.starved())}
	if s := p.cmd.ProcessState; s == nil {
		o.err = err
	} else if s.Exited() {
		o.exited, o.code = true, s.ExitCode()
	} else {
		o.signal = signalOf(s)
	}
	return o
}

// clear ends what the process has left behind, but not without treekill. One that was asked to stop may
// have children that still finish what they do: they have until Kill.
func (p *program) clear() {
	p.life.Lock()
	stopping := p.stopping
	p.life.Unlock()
	if !p.wanted.treekill() {
		return
	}
	if stopping && p.awaitEmpty(p.killed) {
		return
	}
	p.killTree()
	enough := make(chan struct{})
	defer time.AfterFunc(killTime, func() { close(enough) }).Stop()
	p.awaitEmpty(enough)
}

// killTime is how long killed processes are waited for. Only one that hangs in
// the kernel needs longer, and that could be for ever.
const killTime = 2 * time.Second

// awaitEmpty waits until nothing of the tree is left, and reports whether that
// is so; false when enough is closed first.
func (p *program) awaitEmpty(enough <-chan struct{}) bool {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		select {
		case <-enough:
			return false
		case <-timer.C:
			if !p.remains() {
				return true
			}
			timer.Reset(wait)
		}
	}
}

// Stop asks the program to exit: by the message 'shutdown', or by a signal to
// its process group, so that what a shell or npm has started hears it as well;
// without treekill only the program hears it.
func (p *program) Stop() {
	p.life.Lock()
	defer p.life.Unlock()
	if p.stopping {
		return
	}
	p.stopping = true
	if !p.live {
		return
	}
	c := p.node.Load()
	if !p.wanted.ShutdownWithMessage || !c.shutdown() {
		p.interrupt(p.stopSignal())
	}
	c.leave()
}

// stopSignal is what asks this program to exit.
func (p *program) stopSignal() syscall.Signal {
	if sig, ok := signalNamed(p.wanted.KillSignal); ok {
		return sig
	}
	if p.kind == kindNode {
		return syscall.SIGINT
	}
	return syscall.SIGTERM
}

// Kill ends the whole tree; without treekill the program alone.
func (p *program) Kill() {
	p.life.Lock()
	defer p.life.Unlock()
	if !isClosed(p.killed) {
		close(p.killed)
	}
	go p.killTree()
}

// fail ends the whole tree because of cause.
func (p *program) fail(cause string) {
	p.life.Lock()
	if p.cause == "" && !p.stopping {
		p.cause = cause
	}
	p.life.Unlock()
	p.Kill()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
