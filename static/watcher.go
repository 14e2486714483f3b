package static

import (
	"errors"
	"fmt"

	"github.com/fsnotify/fsnotify"
)

// watcher hears of changes in directories.
type watcher struct {
	add    func(dir string) error // the directory alone, not those below it
	close  func() error
	events <-chan fsnotify.Event
	errors <-chan error
}

// silent hears of nothing.
var silent = &watcher{
	add:   func(string) error { return nil },
	close: func() error { return nil },
}

// errRemote means a file system whose changes other computers make unseen.
var errRemote = errors.New("network file systems do not tell of changes")

// newWatcher asks the system for events, if it has any for the file system of root.
func newWatcher(root string) (*watcher, error) {
	if remote(root) {
		return nil, errRemote
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("cannot watch: %w", err)
	}
	return &watcher{add: w.Add, close: w.Close, events: w.Events, errors: w.Errors}, nil
}
