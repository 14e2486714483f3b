package tls

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAValueIsReplacedWhollyAndOnlyItsOwnerCanReadIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := newFileStorage(dir)
	const key = "certificates/ca/example.com/example.com.key"
	values := [][]byte{bytes.Repeat([]byte("a"), 1<<16), bytes.Repeat([]byte("b"), 1<<10)}
	if err := f.Store(t.Context(), key, values[0]); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			if err := f.Store(ctx, key, values[n%2]); err != nil {
				t.Error(err)
			}
		}
	})
	for range 50 {
		got, err := f.Load(t.Context(), key)
		if err != nil || !bytes.Equal(got, values[0]) && !bytes.Equal(got, values[1]) {
			t.Errorf("read %d bytes, %v: neither the old nor the new", len(got), err)
		}
		if keys, err := f.List(t.Context(), "certificates/ca/example.com", false); err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && !slices.Equal(keys, []string{key}) {
			t.Errorf("listed %v, %v", keys, err)
		}
	}
	stop()
	writer.Wait()
	if runtime.GOOS == "windows" {
		return
	}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		info, err := d.Info()
		if err != nil {
			t.Fatal(err)
		}
		if path != dir && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		return nil
	})
}

func TestWhatAKilledProgramWasWritingIsNoCertificateAndGoesAway(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	c, stop := runningUntil(t, o, nil)
	c.Want(Want{Names: []string{"localhost"}})
	settle(t, c)
	stop()
	left := filepath.Join(o.Dir, "certificates", "internal", "localhost", ".localhost.crt-123456")
	writeFile(t, left, "half a certifi")
	hour := time.Now().Add(-time.Hour)
	if err := os.Chtimes(left, hour, hour); err != nil {
		t.Fatal(err)
	}
	c = running(t, o, nil)
	c.Want(Want{Names: []string{"localhost"}})
	settle(t, c)
	if s := status(c, "localhost"); s.State != Valid || s.Orders != 0 {
		t.Errorf("status: %+v", s)
	}
	c.clean(t.Context())
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestADamagedPublicCertificateIsOrderedAnewAndToldOnce(t *testing.T) {
	t.Parallel()
	told := &testLog{t: t}
	o := Options{Dir: t.TempDir(), Log: slogTo(told)}
	const name = "damaged.example.com"
	b := newBox(t, o, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	want := Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{name}}
	b.Want(want)
	b.valid(t, name)
	b.Want(Want{Config: want.Config})
	settle(t, b.Certs)
	kept, err := filepath.Glob(filepath.Join(o.Dir, "certificates", "*", name, name+".crt"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("stored: %v, %v", kept, err)
	}
	writeFile(t, kept[0], "-----BEGIN CERTIFICATE-----\n")
	b.Want(want)
	settle(t, b.Certs)
	b.valid(t, name)
	if n := ca.orders.Load(); n != 2 {
		t.Errorf("%d orders, want the first and the one for the damaged", n)
	}
	if n := strings.Count(told.String(), "a stored certificate cannot be used"); n != 1 {
		t.Errorf("told %d times", n)
	}
}
