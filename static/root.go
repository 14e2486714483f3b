package static

import (
	"context"
	"time"
)

// reopen returns the folder that the config names now: the one being served,
// or another that has taken its place. When there is none it returns nil
// after a while, and requests find nothing.
func (f *follower) reopen(ctx context.Context) *tree {
	now := f.table.Load().root
	if now != nil && now.is(f.config.Root) && now.real() == realName(f.config.Root) {
		return now
	}
	root, err := openTree(f.config.Root, f.config.Symlinks)
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

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
