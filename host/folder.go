package host

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"roost/static"
)

// folder is a static.Folder that may not be there yet: it opens it, again and
// again if need be, keeps it fresh, and closes it once the last request that
// found it has ended.
type folder struct {
	config  static.Config
	fail    func(w http.ResponseWriter, r *http.Request, status int)
	log     *slog.Logger
	current atomic.Pointer[static.Folder]
	inUse   atomic.Int64
	cancel  context.CancelFunc
	tried   chan struct{} // closed after the first attempt to open it

	mu  sync.Mutex
	err error // why it cannot be opened
}

func newFolder(c static.Config, fail func(http.ResponseWriter, *http.Request, int), log *slog.Logger) *folder {
	return &folder{config: c, fail: fail, log: log.With("folder", c.Root), tried: make(chan struct{})}
}

// identity is the same for configs that say the same.
func identity(c static.Config) string {
	text, err := json.Marshal(c)
	if err != nil {
		panic("cannot encode the config of a folder: " + err.Error()) // plain data
	}
	return string(text)
}

// folderPrefix is the path that leads to a route's folder, as package static
// wants it.
func folderPrefix(path string) string {
	if path == "" || path[len(path)-1] != '/' {
		path += "/"
	}
	return path
}

func (f *folder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.inUse.Add(1)
	defer f.inUse.Add(-1)
	if open := f.current.Load(); open != nil {
		open.ServeHTTP(w, r)
		return
	}
	f.fail(w, r, http.StatusServiceUnavailable)
}

// problem is why the folder is not served; nil when it is.
func (f *folder) problem() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *folder) start(l life) {
	ctx, cancel := context.WithCancel(l)
	f.cancel = cancel
	l.running.Go(func() {
		defer cancel()
		open := f.open(ctx)
		if open == nil {
			return
		}
		if err := open.Run(ctx); err != nil {
			f.log.Error("the folder is not followed any more", "error", err)
			<-ctx.Done()
		}
		f.drain(l)
		f.current.Store(nil)
		if err := open.Close(); err != nil {
			f.log.Warn("cannot close the folder", "error", err)
		}
	})
}

const folderRetry = 2 * time.Second

// open tries until it works or ctx ends, and returns nil then.
func (f *folder) open(ctx context.Context) *static.Folder {
	for first := true; ; first = false {
		open, err := static.Open(f.config, static.Options{Log: f.log, Error: f.fail, Links: siteLinks, Open: openTo})
		f.mu.Lock()
		f.err = err
		f.mu.Unlock()
		if err == nil {
			f.current.Store(open)
		} else if first {
			f.log.Error("cannot serve the folder, trying again", "error", err)
		}
		if first {
			close(f.tried)
		}
		if err == nil {
			return open
		}
		select {
		case <-time.After(folderRetry):
		case <-ctx.Done():
			return nil
		}
	}
}

// drain waits for the requests that found the folder in a router's snapshot,
// or until ctx, the host's own, ends: then there are none.
func (f *folder) drain(ctx context.Context) {
	for { // a request that has just looked may not have counted yet: wait first
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return
		}
		if f.inUse.Load() == 0 {
			return
		}
	}
}
