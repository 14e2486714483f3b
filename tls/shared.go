package tls

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"

	"roost/internal/durable"
	"roost/tls/redisstore"
)

// shared is a storage of several boxes, with a copy in files of what this box
// has seen of it: of certificates and accounts. The copies are served when the
// storage cannot be reached, so a box that starts then serves all the same; and
// they go back where the storage has lost everything, or was files before, so
// that nothing is ordered that there is. Nothing is ever ordered or renewed
// without the storage itself.
type shared struct {
	*redisstore.Redis
	copies fileStorage
	log    *slog.Logger

	mu       sync.Mutex
	accounts bool // were looked after
}

// copied reports whether there is a copy of what is stored under key.
func copied(key string) bool { return certificates(key) || account(key) }

func certificates(key string) bool { return strings.HasPrefix(key, "certificates/") }

func account(key string) bool {
	return strings.HasPrefix(key, "acme/") && strings.Contains(key, "/users/")
}

// Load implements certmagic.Storage.
func (s *shared) Load(ctx context.Context, key string) ([]byte, error) {
	value, err := s.Redis.Load(ctx, key)
	var away *redisstore.Error
	switch {
	case err == nil:
		s.copy(ctx, key, value)
	case certificates(key) && errors.As(err, &away):
		return s.copies.Load(ctx, key)
	}
	return value, err
}

// Store implements certmagic.Storage.
func (s *shared) Store(ctx context.Context, key string, value []byte) error {
	err := s.Redis.Store(ctx, key, value)
	if err == nil {
		s.copy(ctx, key, value)
	}
	return err
}

func (s *shared) copy(ctx context.Context, key string, value []byte) {
	if !copied(key) {
		return
	}
	if is, err := s.copies.Load(ctx, key); err == nil && bytes.Equal(is, value) {
		return
	}
	if err := s.copies.Store(ctx, key, value); err != nil {
		s.log.Warn("cannot keep a copy of what is in the storage", "key", key, "error", err)
	}
}

// Delete implements certmagic.Storage.
func (s *shared) Delete(ctx context.Context, key string) error {
	err := s.Redis.Delete(ctx, key)
	if err == nil && copied(key+"/") {
		err = s.copies.Delete(ctx, key)
	}
	return err
}

// aside implements storage. The copies stay: they may be good.
func (s *shared) aside(ctx context.Context, dir, to string) error {
	keys, err := s.List(ctx, dir, true)
	if err != nil {
		return err
	}
	for _, key := range keys {
		value, err := s.Redis.Load(ctx, key)
		if errors.Is(err, redisstore.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
			continue // there is nothing to keep
		}
		file := filepath.Join(to, path.Base(key))
		if err == nil {
			err = durable.MkdirAll(to, 0o700)
		}
		if err == nil {
			err = durable.WriteFile(file, value, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return s.Redis.Delete(ctx, dir)
}

// bring puts the copy of the certificate of name into the storage, which has
// none, when it is one and has not ended. It reports whether there is one in
// the storage now.
func (s *shared) bring(ctx context.Context, issuer certmagic.Issuer, name string) (bool, error) {
	key := issuer.IssuerKey()
	files := []string{ // in the order of certmagic
		certmagic.StorageKeys.SitePrivateKey(key, name),
		certmagic.StorageKeys.SiteCert(key, name),
		certmagic.StorageKeys.SiteMeta(key, name),
	}
	var values [3][]byte
	for n, file := range files {
		var err error
		if values[n], err = s.copies.Load(ctx, file); err != nil {
			return false, nil
		}
	}
	pair, err := tls.X509KeyPair(values[1], values[0])
	if err != nil || time.Now().After(pair.Leaf.NotAfter) {
		return false, nil
	}
	lock := orderLock(name)
	if err := s.Lock(ctx, lock); err != nil {
		return false, err
	}
	defer s.Unlock(context.WithoutCancel(ctx), lock)
	for _, file := range files {
		if _, err := s.Redis.Stat(ctx, file); !errors.Is(err, fs.ErrNotExist) {
			return err == nil, err // another box was faster
		}
	}
	for n, file := range files {
		if err := s.Redis.Store(ctx, file, values[n]); err != nil {
			return false, err
		}
	}
	s.log.Info("a certificate of this box is in the storage now", "name", name, "storage", s.String())
	return true, nil
}

// bringAccounts does the same for accounts at CAs, once.
func (s *shared) bringAccounts(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accounts {
		return nil
	}
	const lock = "bring_accounts"
	if err := s.Lock(ctx, lock); err != nil {
		return err
	}
	defer s.Unlock(context.WithoutCancel(ctx), lock)
	keys, err := s.copies.List(ctx, "acme", true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	there := map[string]bool{} // by folder, as it was before
	for _, key := range keys {
		info, err := s.copies.Stat(ctx, key)
		if err != nil || !info.IsTerminal || !account(key) {
			continue
		}
		dir := path.Dir(key)
		if _, seen := there[dir]; !seen {
			_, err := s.List(ctx, dir, true)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			there[dir] = err == nil
		}
		if there[dir] {
			continue
		}
		value, err := s.copies.Load(ctx, key)
		if err == nil {
			err = s.Redis.Store(ctx, key, value)
		}
		if err != nil {
			return err
		}
		s.log.Info("an account of this box is in the storage now", "account", key, "storage", s.String())
	}
	s.accounts = true
	return nil
}
