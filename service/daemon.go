package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// Options say what a daemon is to be.
type Options struct {
	// Dirs are its folders; FindDirs finds them.
	Dirs Dirs
	// File is a config file to apply at start and at SIGHUP; none when empty.
	File string
	// Env chooses the env_<name> tables of File's apps; none when empty.
	Env string
	// Unattended goes on with what was acknowledged before when File has
	// problems, and tells them in the log and the status: for a service at boot. A
	// person who starts the daemon wants to hear instead.
	Unattended bool
	// Log takes the program's own log; when nil that is Dirs.ProgramLog.
	Log *slog.Logger
	// Words takes the log as well as Dirs.ProgramLog does, when not nil: for people at a terminal.
	Words slog.Handler
	// Output takes each line of the apps' output, besides the log files, when not
	// nil: from several goroutines, and a slow one holds the programs up.
	Output func(apps.Line)
	// Ready is called once, when the control socket answers and the listeners are
	// bound or known not to be; may be nil.
	Ready func(Info)
	// Version is what ping and status tell.
	Version string

	host func(host.Options) (box, error) // newHost, or a test's
	peer func(net.Conn) (int, error)     // peerUser, or a test's
}

// Info is what to tell a person about a daemon that is ready.
type Info struct {
	PID       int
	Addresses []string // where the host listens, such as "https [::]:8443"
	Problems  []string // what a person must look at, as in control.Status
	Socket    string
	State     string // folder
	Logs      string // folder
}

const (
	// socketGrace bounds the wait for changes under way when the daemon ends.
	socketGrace = 3 * time.Second
	// beginGrace bounds the wait for the host to take up what is wanted at start
	// and to open its listeners, before the daemon is called ready.
	beginGrace = 10 * time.Second
)

// errAgain ends a daemon that its service manager is to start again, which it
// does after failures only.
var errAgain = errors.New("commanded to be started again")

// Run is the daemon: it locks Dirs.Run, reads the state, makes a host of it and
// answers the control socket until ctx ends or SIGTERM, SIGINT or a command
// ends it. It returns when all it started has ended, at most the longest
// kill_timeout and some seconds later; what is wanted is as it was. A second signal kills
// what is left. SIGHUP applies File again.
//
// Errors before it is ready are meant for people: host.Problems for a File with
// problems, *control.Error with a hint for a second daemon on one home.
func Run(ctx context.Context, o Options) (err error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // a request through net/http costs 5 % less CPU, the daemon some megabytes more
	}
	if err := o.Dirs.make(); err != nil {
		return err
	}
	if o.File != "" {
		if o.File, err = filepath.Abs(o.File); err != nil {
			return fmt.Errorf("cannot find the config file: %w", err)
		}
	}
	held, err := takeLock(o.Dirs.Run)
	if err != nil {
		return err
	}
	defer held.release()
	if o.Dirs.PM2 != "" {
		forget, err := writePID(filepath.Join(o.Dirs.PM2, "pm2.pid"))
		if err != nil {
			return err
		}
		defer forget() // before the lock is released
	}
	if o.Log == nil {
		log, file := openLog(o.Dirs.ProgramLog(), o.Words)
		defer file.Close()
		o.Log = log
	}
	log := o.Log

	cpus := runtime.GOMAXPROCS(0) // minds the CPU limits of a container
	store := openStore(o.Dirs.State)
	config, found, err := initial(ctx, store, o, cpus)
	if err != nil {
		return err
	}
	if o.host == nil {
		o.host = newHost
	}
	if o.peer == nil {
		o.peer = peerUser
	}
	if n := apps.Sweep(o.Dirs.Sockets()); n > 0 {
		log.Warn("ended what a daemon that was killed has left running", "processes", n)
	}
	b, err := o.host(host.Options{RunDir: o.Dirs.Sockets(), LogDir: o.Dirs.Logs, Output: o.Output, TLSDir: o.Dirs.TLS, PM2Home: o.Dirs.PM2, Log: log})
	if err != nil {
		return err
	}
	socket, err := listenControl(o.Dirs.Socket())
	if err != nil {
		return err
	}
	defer os.Remove(o.Dirs.Socket()) // before the lock is released

	d := &daemon{options: o, box: b, log: log, cpus: cpus, editor: newEditor(b, store, log), measure: &measurer{scan: b.Measure}}
	d.editor.troubles.set(troubleState, found.state...)
	d.editor.troubles.set(troubleFile+o.File, found.file...)
	if err := d.editor.begin(config); err != nil {
		d.editor.troubles.set(troubleSave, "what is wanted is not on disk: "+err.Error())
	}
	for _, note := range config.Lines.Notes() {
		log.Info(note)
	}
	for _, p := range d.editor.problems(look{}) {
		log.Error("needs a person", "problem", p)
	}
	return d.run(ctx, socket)
}

// daemon is one run.
type daemon struct {
	options Options
	box     box
	editor  *editor
	measure *measurer
	log     *slog.Logger
	cpus    int
}

// run works until ctx ends, or a signal or a command says so, and then ends
// all in the reverse order of its start:
//
//	host ─ control socket ─ ready        start
//	stopping ─ control socket ─ host     end
func (d *daemon) run(ctx context.Context, socket net.Listener) error {
	life, end := context.WithCancelCause(ctx) // of changes: ends first
	defer end(nil)
	hostLife, endHost := context.WithCancel(context.WithoutCancel(ctx)) // ends last
	hostEnded := make(chan error, 1)
	go func() { hostEnded <- d.box.Run(hostLife) }()
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer endHost()
	tasks.Go(func() { d.measure.run(hostLife) })

	started := time.Now()
	a := &api{
		editor: d.editor, box: d.box, measure: d.measure, dirs: d.options.Dirs, file: d.options.File,
		cpus: d.cpus, log: d.log, peer: d.options.peer,
		pong: control.Pong{Version: d.options.Version, PID: os.Getpid(), Started: started, Socket: d.options.Dirs.Socket(), Unattended: d.options.Unattended},
		shutdown: func(again bool) {
			if again {
				end(errAgain)
			}
			end(errors.New("commanded"))
		},
	}
	stop := d.listenSignals(life, end)
	defer stop()
	apiEnded := make(chan error, 1)
	go func() {
		d.awaitHost(life) // who connects meanwhile waits a moment, and is told nothing half true
		tasks.Go(func() { d.announce(life) })
		apiEnded <- a.serve(life, socket, socketGrace)
	}()

	var failure error
	select {
	case <-life.Done():
		d.log.Info("shutting down", "reason", context.Cause(life))
		if errors.Is(context.Cause(life), errAgain) {
			failure = errAgain
		}
	case failure = <-apiEnded:
		apiEnded <- nil
	case failure = <-hostEnded:
		if failure == nil {
			failure = errors.New("the host ended by itself")
		}
		hostEnded <- nil
	}
	notifyStopping()
	end(nil)
	<-apiEnded
	endHost()
	limit := d.drainLimit()
	select {
	case err := <-hostEnded:
		if failure == nil && err != nil && !errors.Is(err, context.Canceled) {
			failure = fmt.Errorf("the host did not end well: %w", err)
		}
	case <-time.After(limit):
		failure = fmt.Errorf("not everything ended within %v; left it behind", limit)
	}
	d.log.Info("ended")
	return failure
}

// drainLimit is how long the host may take to end: its apps, and some.
func (d *daemon) drainLimit() time.Duration {
	config := d.editor.Config()
	return max(10*time.Second, config.StopTime()) + 15*time.Second
}

// announce tells, once, that the daemon is ready, and from then on that it is alive.
func (d *daemon) announce(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	seen := d.box.Look()
	info := Info{
		PID: os.Getpid(), Socket: d.options.Dirs.Socket(), State: d.options.Dirs.State, Logs: d.options.Dirs.Logs,
		Problems: d.editor.problems(seen),
	}
	for _, l := range seen.listeners {
		if l.Error == "" {
			info.Addresses = append(info.Addresses, l.Name+" "+l.Address)
		}
	}
	d.log.Info("ready", "addresses", info.Addresses, "socket", info.Socket, "apps", len(d.editor.Config().Apps), "version", d.options.Version)
	notifyReady()
	if d.options.Ready != nil {
		d.options.Ready(info)
	}
	keepWatchdog(ctx, func() { d.box.Apps() })
}

// awaitHost waits until the host has taken up what is wanted and each listener
// is bound or known not to be; not for ever, and not for apps.
func (d *daemon) awaitHost(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beginGrace)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for config := d.editor.Config(); ctx.Err() == nil && (len(d.box.Apps()) < len(config.Apps) || len(d.box.Look().listeners) < doors(config)); {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// doors is how many listeners a Config wants.
func doors(c host.Config) (n int) {
	for _, address := range []string{c.Host.HTTP, c.Host.HTTPS} {
		if len(c.Sites) > 0 && address != "off" {
			n++
		}
	}
	return n
}
