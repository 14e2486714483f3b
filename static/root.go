package static

import (
	"context"
	"fmt"
	"os"
	"time"
)

// openRoot opens the folder that name leads to now.
func openRoot(name string) (*os.Root, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open folder: %w", err)
	}
	return root, nil
}

// reopen returns the folder that the config names now: the one being served,
// or another that has taken its place. When there is none it returns nil
// after a while, and requests find nothing.
func (f *follower) reopen(ctx context.Context) *os.Root {
	now := f.table.Load().root
	if now != nil && sameRoot(now, f.config.Root) {
		return now
	}
	root, err := openRoot(f.config.Root)
	if err != nil {
		if passing(err) {
			f.notices.warn("cannot open folder for now", f.config.Root, err)
		} else if now != nil {
			f.log.Error("the folder is gone; its site answers 404 until it is back", "folder", f.config.Root, "error", err)
			f.publish(emptyTable)
		}
		pause(ctx, rootEvery)
		return nil
	}
	f.log.Info("reading the folder anew: another one has taken its place", "folder", f.config.Root)
	return root
}

// sameRoot tells whether name still leads to root. An open directory keeps
// its inode, so a new one in its place cannot look the same.
func sameRoot(root *os.Root, name string) bool {
	is, err := os.Stat(name)
	if err != nil {
		return false
	}
	was, err := root.Stat(".")
	return err == nil && os.SameFile(is, was)
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
