package host

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"roost/apps"
	"roost/tls"
)

// loop makes what is wanted so. Its fields belong to the goroutine in Run. What
// it starts lives in lives that end one after the other, in reverse order:
//
//	access log ─ certificates ─ folders, apps ─ servers ─ listeners
type loop struct {
	*Host
	config    Config
	programs  map[string]*program
	leaving   map[string]*program // removed apps that have not ended, by name
	unlimit   context.CancelFunc  // ends the watch over memory; nil: there is none
	passed    map[string]int      // the revisions of apps whose dependencies were met
	folders   map[string]*folder  // by the identity of their config
	sites     map[string]*figures
	locked    *locks
	certified tls.Want // what the certificates were told last
	listening listening
	targets   map[*Target]*folder
	retired   []*servers // that still have connections

	logging, certifying, working, accepting life
}

// life is a context and what runs in it.
type life struct {
	context.Context
	cancel  context.CancelFunc
	running *sync.WaitGroup
}

func newLife() life {
	ctx, cancel := context.WithCancel(context.Background())
	return life{ctx, cancel, &sync.WaitGroup{}}
}

// end ends what runs and waits for it.
func (l life) end() {
	l.cancel()
	l.running.Wait()
}

func newLoop(h *Host) *loop {
	l := &loop{
		Host: h, programs: map[string]*program{}, leaving: map[string]*program{}, passed: map[string]int{}, folders: map[string]*folder{}, sites: map[string]*figures{},
		logging: newLife(), certifying: newLife(), working: newLife(), accepting: newLife(),
	}
	l.locked = newLocks(h.front.middleware)
	l.listening = listening{
		servers: &h.servers, conns: &h.conns, certs: h.certs, log: h.log,
		doors: map[string]*door{}, failed: map[string]*ListenError{}, ports: h.ports, bind: bindTCP,
		altSvc: &h.front.altSvc, bindUDP: bindPackets,
	}
	return l
}

func (l *loop) start() {
	l.logging.running.Go(func() { l.access.run(l.logging) })
	l.accepting.running.Go(func() { l.conns.relieve(l.accepting) })
	l.certifying.running.Go(func() {
		if err := l.certs.Run(l.certifying); err != nil {
			l.log.Error("certificates are not looked after any more", "error", err)
		}
	})
}

// apply makes the last wanted Config so, as far as that needs no waiting for
// apps and CAs.
func (l *loop) apply(ctx context.Context) {
	l.mu.Lock()
	c, asked := l.wanted, l.asked
	l.mu.Unlock()

	var done change
	l.config = c
	done.apps = l.applyApps(c)
	done.folders = l.applyFolders(ctx, c)
	if want := c.certificates(); !reflect.DeepEqual(want, l.certified) { // what it has read of files may differ
		l.certified = want
		l.certs.Want(want)
		done.certs = l.certs
	}
	l.limitMemory(c)
	l.publish(c)
	done.listeners = l.applyListeners(c)
	done.apps = append(done.apps, l.removeApps(c)...)
	l.removeFolders()

	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied, l.change = asked, done
	l.show()
	close(l.moved)
	l.moved = make(chan struct{})
}

// show tells Status what runs. The caller holds mu.
func (l *loop) show() {
	v := view{
		config: l.config, programs: maps.Clone(l.programs), sites: maps.Clone(l.sites), folders: l.targets,
		failed: maps.Clone(l.listening.failed), bound: map[string]string{},
	}
	for kind, d := range l.listening.doors {
		v.bound[kind] = d.address
	}
	if p := l.listening.http3; p != nil {
		v.bound["http3"] = p.address
	}
	l.view = v
}

// pending says that something could not be done and is to be tried again.
func (l *loop) pending() bool { return len(l.listening.failed) > 0 }

func (l *loop) retry(context.Context) {
	l.applyListeners(l.config)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.show()
}

// applyApps starts the apps that are new and tells the others what is wanted
// of them. It returns those of which something else is wanted than before.
func (l *loop) applyApps(c Config) (changed []*program) {
	serves := map[string]bool{}
	for _, s := range c.Sites {
		serves[s.App] = true
		for _, r := range s.Routes {
			serves[r.App] = true
		}
	}
	for name, p := range l.leaving {
		if p.ended() {
			delete(l.leaving, name)
		}
	}
	for _, w := range c.Apps {
		if l.programs[w.Name] == nil {
			l.programs[w.Name] = newProgram(l.options, w.Name, &l.events, l.stir, l.front.Error)
		}
	}
	l.hold(c) // before any of them hears what is wanted
	names := make([]string, len(c.Apps))
	for i := range c.Apps {
		names[i] = c.Apps[i].Name
	}
	twins := apps.Twins(names, l.options.PM2Home != "")
	for i, w := range c.Apps {
		w.Serves, w.Twin = serves[w.Name], twins[i]
		p := l.programs[w.Name]
		if p.cancel != nil && reflect.DeepEqual(p.wanted, w) {
			continue
		}
		p.wanted = w
		p.app.Want(w)
		p.start(l.working, l.leaving[w.Name], l.log)
		changed = append(changed, p)
	}
	return changed
}

// removeApps ends the apps that are not wanted any more; requests have been
// led elsewhere by now.
func (l *loop) removeApps(c Config) (removed []*program) {
	for name, p := range l.programs {
		if c.App(name) == nil {
			delete(l.programs, name)
			delete(l.passed, name)
			l.leaving[name] = p
			p.removed = true
			removed = append(removed, p)
		}
	}
	l.endInOrder(removed)
	return removed
}

// applyFolders opens the folders that are new, all at once, and waits a while
// for them to be read: requests shall find them ready. It returns those that
// are new.
func (l *loop) applyFolders(ctx context.Context, c Config) (opened []*folder) {
	l.targets = map[*Target]*folder{}
	for i := range c.Sites {
		s := &c.Sites[i]
		l.target(&s.Target, "/", &opened)
		for j := range s.Routes {
			r := &s.Routes[j]
			l.target(&r.Target, folderPrefix(r.Path), &opened)
		}
	}
	patience := time.NewTimer(folderPatience)
	defer patience.Stop()
	for _, f := range opened {
		select {
		case <-f.tried:
		case <-patience.C:
			return opened
		case <-ctx.Done():
			return opened
		}
	}
	return opened
}

// folderPatience is how long a change waits for the folders that it opens; a
// folder that takes longer answers 503 until it has been read.
const folderPatience = 5 * time.Second

func (l *loop) target(t *Target, prefix string, opened *[]*folder) {
	if t.Root == "" {
		return
	}
	config := t.folder(prefix)
	f := l.folders[identity(config)]
	if f == nil {
		f = newFolder(config, l.front.Error, l.log)
		l.folders[identity(config)] = f
		*opened = append(*opened, f)
		f.start(l.working)
	}
	l.targets[t] = f
}

// removeFolders ends those that no target leads to.
func (l *loop) removeFolders() {
	used := map[*folder]bool{}
	for _, f := range l.targets {
		used[f] = true
	}
	for id, f := range l.folders {
		if !used[f] {
			delete(l.folders, id)
			f.cancel()
		}
	}
}

// publish leads requests to what c says from now on.
func (l *loop) publish(c Config) {
	l.locked.next()
	r := newRouter(c, l.lookup())
	t, express := c.Host.timeouts(), c.Host.Express == nil || *c.Host.Express
	if now := l.servers.Load(); now == nil || now.timeouts != t || now.express != express {
		old := l.servers.Swap(startServers(serversOptions{
			timeouts: t, express: express, handler: l.front, plainHandler: l.certs.Plain(l.front),
			conns: &l.conns, current: l.servers.Load, log: l.log,
		}))
		if old != nil {
			old.retire()
			l.retired = append(l.retired, old)
		}
	}
	l.retired = slices.DeleteFunc(l.retired, func(s *servers) bool { return s.open.Load() == 0 })
	l.conns.limits.Store(c.Host.connectionLimits(openFiles()))
	l.access.format.Store(c.Host.logFormat())
	l.front.accessAll.Store(c.Host.AccessLog == nil || *c.Host.AccessLog)
	l.front.trusted.Store(c.Host.trusted())
	l.front.router.Store(r)
	for name := range l.sites {
		used := false
		for i := range c.Sites {
			used = used || c.Sites[i].Name() == name
		}
		if !used {
			delete(l.sites, name)
		}
	}
}

// applyListeners opens and closes listeners; there are none without a site. It
// returns the kinds of which something else is wanted than before.
func (l *loop) applyListeners(c Config) (changed []string) {
	wanted := map[string]string{}
	if len(c.Sites) > 0 {
		wanted["http"], wanted["https"] = c.Host.HTTP, c.Host.HTTPS
	}
	changed = l.listening.want(l.accepting, wanted)
	if l.listening.wantHTTP3(l.accepting, c.Host.HTTP3) {
		changed = append(changed, "http3")
	}
	port := int(l.ports["https"].Load())
	if https, ok := wanted["https"]; port == 0 && ok && https != "off" {
		port = portOf(addresses("https", https)[0]) // it will be there, or Status says why not
	}
	l.redirectPort.Store(int32(port))
	return changed
}

// stop ends everything in reverse order of its start.
func (l *loop) stop() {
	for _, d := range l.listening.doors {
		d.close()
	}
	l.listening.unlisten()
	close(l.front.ending)
	limit, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	var ending sync.WaitGroup
	if s := l.servers.Load(); s != nil {
		l.retired = append(l.retired, s)
	}
	for _, s := range l.retired {
		ending.Go(func() { s.end(limit, cmp.Or(l.options.Grace, defaultGrace)) })
	}
	ending.Wait()
	l.accepting.end()
	l.conns.closeAll()
	for _, p := range l.listening.packets {
		p.cut()
	}
	<-l.endInOrder(slices.Collect(maps.Values(l.programs)))
	for _, p := range l.leaving { // in the order that was begun
		<-p.done
	}
	l.working.end()
	l.certifying.end()
	l.logging.end()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.view.bound = nil
}

// lookup is the loop as the router's targets.
func (l *loop) lookup() targets { return lookup{l} }

type lookup struct{ *loop }

func (l lookup) folder(t Target, prefix string) http.Handler {
	if f := l.folders[identity(t.folder(prefix))]; f != nil {
		return f
	}
	return nil
}

func (l lookup) app(name string) (http.Handler, *figures) {
	if p := l.programs[name]; p != nil {
		return p.app, p.figures
	}
	return nil, nil
}

func (l lookup) locks() *locks { return l.locked }

func (l lookup) site(name string) *figures {
	f := l.sites[name]
	if f == nil {
		f = newFigures()
		l.sites[name] = f
	}
	return f
}
