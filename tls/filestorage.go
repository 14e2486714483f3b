package tls

import (
	"context"
	"errors"
	"io/fs"
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

// unusable reports whether err is that of a load that has read everything, and
// could make no certificate of it.
func unusable(err error) bool {
	var disk *fs.PathError
	return err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &disk)
}

// setAside moves the stored certificate of name, which is unusable, to the
// folder of such, for whoever wants to know, and returns what there is by
// another CA; the error is fs.ErrNotExist when there is none. It is looked at again where nobody else can be storing it.
func (c *Certs) setAside(ctx context.Context, i *issuance, name string) (certmagic.Certificate, error) {
	lock := "issue_cert_" + name // as certmagic has it
	if err := c.storage.Lock(ctx, lock); err != nil {
		return certmagic.Certificate{}, err
	}
	defer c.storage.Unlock(context.WithoutCancel(ctx), lock)
	for _, issuer := range i.issuers {
		one := *i.obtain
		one.Issuers = []certmagic.Issuer{issuer}
		cert, err := one.CacheManagedCertificate(ctx, name)
		if !unusable(err) || ctx.Err() != nil {
			continue
		}
		from := certmagic.StorageKeys.CertsSitePrefix(issuer.IssuerKey(), name)
		aside := filepath.Join(c.o.Dir, "corrupt", time.Now().UTC().Format("20060102T150405.000Z-")+filepath.Base(from))
		if err := os.MkdirAll(filepath.Dir(aside), 0o700); err != nil {
			return cert, err
		}
		if err := os.Rename(c.storage.Filename(from), aside); err != nil {
			return cert, err
		}
		c.log.Error("a stored certificate cannot be used; getting another", "name", name, "error", err, "kept", aside)
	}
	return i.obtain.CacheManagedCertificate(ctx, name)
}
