package tls

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/caddyserver/certmagic"

	"roost/internal/durable"
)

// fileStorage is certmagic's storage in files. What it lacks is added: a certificate
// that was stored is there after a crash of the machine too, for its folder is
// synced as well as its content; and what a killed program left half written is
// not taken for something that was stored.
type fileStorage struct{ *certmagic.FileStorage }

func newFileStorage(dir string) fileStorage { return fileStorage{&certmagic.FileStorage{Path: dir}} }

// Store implements certmagic.Storage.
func (f fileStorage) Store(_ context.Context, key string, value []byte) error {
	path := f.Filename(key)
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return durable.WriteFile(path, value, 0o600)
}

// List implements certmagic.Storage.
func (f fileStorage) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	keys, err := f.FileStorage.List(ctx, prefix, recursive)
	return slices.DeleteFunc(keys, durable.Temporary), err
}

// sweep removes what was left half written.
func (f fileStorage) sweep() error { return durable.Sweep(f.Path, time.Now().Add(-time.Minute)) }

// aside implements storage.
func (f fileStorage) aside(_ context.Context, dir, to string) error {
	return os.Rename(f.Filename(dir), to)
}
