package tls

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"

	"roost/tls/redisstore"
)

// storage is where certificates and accounts are kept.
type storage interface {
	certmagic.Storage
	// aside moves what is stored below dir to a folder of this box.
	aside(ctx context.Context, dir, to string) error
}

// StorageURL is the URL of a shared storage. Shown, it lacks its password.
type StorageURL string

func (u StorageURL) String() string {
	if u == "" {
		return ""
	}
	return redisstore.Redacted(string(u))
}

// sharing is what a Config says of a shared storage.
type sharing struct {
	url                                StorageURL
	keyFile, passwordFile, passwordEnv string
	caRoot                             string
}

func (c Config) sharing() sharing {
	if c.Storage == "" {
		return sharing{}
	}
	return sharing{c.Storage, c.StorageKeyFile, c.StoragePasswordFile, c.StoragePasswordEnv, c.CARoot}
}

// password returns the function that reads the password, nil when it is in the URL or there is none.
func (s sharing) password() func() (string, error) {
	switch {
	case s.passwordFile != "":
		return func() (string, error) {
			text, err := os.ReadFile(s.passwordFile)
			if err != nil {
				return "", fmt.Errorf("cannot read its password: %w", err)
			}
			if len(strings.TrimSpace(string(text))) == 0 {
				return "", fmt.Errorf("cannot read its password: %s is empty", s.passwordFile)
			}
			return strings.TrimSpace(string(text)), nil
		}
	case s.passwordEnv != "":
		return func() (string, error) {
			if text := os.Getenv(s.passwordEnv); text != "" {
				return text, nil
			}
			return "", fmt.Errorf("cannot read its password: the variable %s is empty", s.passwordEnv)
		}
	}
	return nil
}

// makeKey says how to make a key of the storage.
const makeKey = "make one with: (umask 077; openssl rand -base64 32 > storage.key), and give the same file to every box that uses the storage"

func (c Config) checkStorage(complain func(key, hint, format string, args ...any)) {
	if c.Storage == "" {
		for _, k := range [...][2]string{{"storage_key_file", c.StorageKeyFile}, {"storage_password_file", c.StoragePasswordFile}, {"storage_password_env", c.StoragePasswordEnv}} {
			if k[1] != "" {
				complain(k[0], `set storage, or remove it`, "%s is for a shared storage, and there is none", k[0])
			}
		}
		return
	}
	if redisstore.CheckURL(string(c.Storage)) != nil {
		complain("storage", `write it as "redis://redis.example.com:6379/0", with rediss for TLS, or as "unix:///run/redis/redis-server.sock?db=0"`, "storage is not the URL of a server of Redis")
	}
	if c.StorageKeyFile == "" {
		complain("storage_key_file", makeKey, "what is stored in Redis is encrypted, and storage_key_file names no key")
	} else if _, err := redisstore.ReadKey(c.StorageKeyFile); err != nil {
		hint := makeKey
		if errors.Is(err, fs.ErrPermission) {
			hint = "have it belong to the user that runs the program"
		}
		complain("storage_key_file", hint, "%v", err)
	}
	if redisstore.HasPassword(string(c.Storage)) && (c.StoragePasswordFile != "" || c.StoragePasswordEnv != "") || c.StoragePasswordFile != "" && c.StoragePasswordEnv != "" {
		complain("storage", "keep one of them", "storage has more than one password, of the URL, storage_password_file and storage_password_env")
	} else if password := c.sharing().password(); password != nil {
		if _, err := password(); err != nil {
			key, hint := "storage_password_file", "name a file that this user can read"
			if c.StoragePasswordFile == "" {
				key, hint = "storage_password_env", "set the variable where the program is started"
			}
			complain(key, hint, "storage: %v", err)
		}
	}
}

// unusable reports whether err is that of a load that has read everything, and
// could make no certificate of it.
func unusable(err error) bool {
	var disk *fs.PathError
	var away *redisstore.Error
	return err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &disk) && !errors.As(err, &away)
}

// setAside moves the stored certificate of name, which is unusable, to the
// folder of such, for whoever wants to know, and returns what there is by
// another CA; the error is fs.ErrNotExist when there is none. It is looked at
// again where nobody else can be storing it.
func (c *Certs) setAside(ctx context.Context, i *issuance, name string) (certmagic.Certificate, error) {
	lock := orderLock(name)
	if err := i.storage.Lock(ctx, lock); err != nil {
		return certmagic.Certificate{}, err
	}
	defer i.storage.Unlock(context.WithoutCancel(ctx), lock)
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
		if err := i.storage.aside(ctx, from, aside); err != nil {
			return cert, err
		}
		c.log.Error("a stored certificate cannot be used; getting another", "name", name, "error", err, "kept", aside)
	}
	return i.obtain.CacheManagedCertificate(ctx, name)
}

// orderLock is the lock under which certmagic orders for name and stores what it gets.
func orderLock(name string) string { return "issue_cert_" + name }
