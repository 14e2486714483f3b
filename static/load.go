package static

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"
)

const (
	maxInMemory = 256 << 10       // bytes; larger files stay on disk
	restTime    = quiet           // a file not written for so long is taken to be whole
	patience    = 3 * time.Second // how long a request waits for a file to rest
)

// errNotRegular means a device, pipe, socket or directory where a file was.
var errNotRegular = errors.New("not a regular file")

// load reads a file: into memory if it is small, once for all who ask for it
// meanwhile, else it returns it open. What it returns describes the file as it
// is now, even if the table does not yet.
func (f *Folder) load(ctx context.Context, t *table, a *asset) (*variant, *os.File, error) {
	if a.stamp.size > maxInMemory {
		return f.read(ctx, t, a)
	}
	// The table is part of the key: another may have another file there.
	loaded := f.loads.DoChan(strconv.FormatUint(t.number, 36)+a.path, func() (any, error) {
		if v := a.contents().identity.Load(); v != nil && v.body != nil {
			return v, nil // by another request, meanwhile
		}
		v, file, err := f.read(context.Background(), t, a) // not the first one's context, who may go
		if file != nil {
			file.Close()
			return nil, errGrown
		}
		return v, err
	})
	select {
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case l := <-loaded:
		switch {
		case l.Err == errGrown: // everyone needs it open
			return f.read(ctx, t, a)
		case l.Err != nil:
			return nil, nil, l.Err
		}
		return l.Val.(*variant), nil, nil
	}
}

var errGrown = errors.New("the file has grown")

// read is load for one who asks.
func (f *Folder) read(ctx context.Context, t *table, a *asset) (*variant, *os.File, error) {
	file, at, err := f.open(ctx, t, a)
	if err != nil {
		return nil, nil, err
	}
	known := at == a.stamp
	if !known {
		f.changed(a.path)
	}
	slot := &a.contents().identity
	v := slot.Load()
	if at.size > maxInMemory {
		if !known || v == nil {
			v = newVariant(a.path, at, nil)
			v.ends = endsOf(file, at.size)
		}
		if known {
			slot.Store(v)
		}
		return v, file, nil
	}
	defer file.Close()
	body, now, whole, err := readWhole(ctx, file, at, maxInMemory)
	if err != nil {
		return nil, nil, err
	}
	old := v
	v = newVariant(a.path, now, body)
	if whole && now == a.stamp {
		f.memory.hold(a, slot, old, v)
	}
	return v, nil, nil
}

// open opens the file of a and returns its state once it rests.
func (f *Folder) open(ctx context.Context, t *table, a *asset) (*os.File, stamp, error) {
	file, fi, err := t.root.openAsset(a)
	for range 2 {
		if !errors.Is(err, os.ErrClosed) {
			break
		}
		// The folder was replaced by another one: ask that.
		t = f.table.Load()
		now := t.asset(a.path)
		if now == nil {
			return nil, stamp{}, fs.ErrNotExist
		}
		file, fi, err = t.root.openAsset(now)
	}
	if err != nil {
		return nil, stamp{}, err
	}
	at, err := rested(ctx, file, fi, a.stamp)
	if err != nil {
		file.Close()
		return nil, stamp{}, err
	}
	return file, at, nil
}

// rested waits, not for long, until a file, found as fi says, has not been
// written for restTime, and returns its state. What is written all the time is
// returned as it is. was is the last state known.
func rested(ctx context.Context, file *os.File, fi fs.FileInfo, was stamp) (stamp, error) {
	var before stamp
	for deadline := time.Now().Add(patience); ; {
		if !fi.Mode().IsRegular() {
			return stamp{}, errNotRegular
		}
		now := time.Now()
		at := stampOf(fi)
		rest := restTime - now.Sub(fi.ModTime())
		// Nor does an old time of a file that is found empty: it may be torn from a state that is not known.
		if at.torn(was) || at.size == 0 && at != was && at != before {
			rest = restTime
		}
		before = at
		// A time in the future says nothing about writing.
		if rest <= 0 || rest > restTime || now.After(deadline) {
			return at, nil
		}
		select {
		case <-ctx.Done():
			return stamp{}, ctx.Err()
		case <-time.After(rest):
		}
		var err error
		if fi, err = file.Stat(); err != nil {
			return stamp{}, err
		}
	}
}

// readWhole reads a file of the given state, of which at most limit bytes, again once it rests if it changes
// meanwhile, and returns the state it was in. whole is false for a file that changed all
// the time: what was read is then as good as anything, but not worth keeping.
func readWhole(ctx context.Context, file *os.File, at stamp, limit int64) (body []byte, now stamp, whole bool, err error) {
	for range 3 {
		body = make([]byte, min(at.size, limit))
		n, err := file.ReadAt(body, 0)
		if err != nil && err != io.EOF {
			return nil, at, false, err
		}
		fi, err := file.Stat()
		if err != nil {
			return nil, at, false, err
		}
		body, now = body[:n], stampOf(fi)
		if now == at && int64(n) == at.size {
			return body, now, true, nil
		}
		if at, err = rested(ctx, file, fi, at); err != nil {
			return nil, now, false, err
		}
	}
	now.size = int64(len(body))
	return body, now, false, nil
}
