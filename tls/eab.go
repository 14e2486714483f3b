package tls

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// key reads the HMAC key in the form of RFC 4648, section 5, without padding;
// some CAs hand it out with, or in the other alphabet.
func (b EAB) key() (string, error) {
	text, err := os.ReadFile(b.HMACFile)
	if err != nil {
		return "", fmt.Errorf("cannot read the HMAC key: %w", err)
	}
	key := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(strings.TrimSpace(string(text)), "="))
	if raw, err := base64.RawURLEncoding.DecodeString(key); err != nil || len(raw) == 0 {
		return "", errors.New("the HMAC key is not base64url")
	}
	return key, nil
}

// bind gives a new account the binding b, and remembers it for rebind. certmagic
// calls it before it makes one, while it holds the issuer's lock.
func (c *Certs) bind(b EAB, stored storage) func(context.Context, *certmagic.ACMEIssuer, acme.Account) (acme.Account, error) {
	return func(ctx context.Context, issuer *certmagic.ACMEIssuer, account acme.Account) (acme.Account, error) {
		key, err := b.key()
		if err != nil {
			return account, err
		}
		issuer.ExternalAccount = &acme.EAB{KeyID: b.KeyID, MACKey: key}
		return account, stored.Store(ctx, bindingKey(issuer), []byte(b.KeyID))
	}
}

// rebind forgets the accounts at issuer that were made without b, so that one
// is made with it: a binding cannot be added later (RFC 8555, section 7.3.4).
func (c *Certs) rebind(ctx context.Context, stored storage, issuer *certmagic.ACMEIssuer, b EAB) error {
	if b == (EAB{}) {
		return nil
	}
	c.binding.Lock()
	defer c.binding.Unlock()
	bound, err := stored.Load(ctx, bindingKey(issuer))
	if err != nil && !errors.Is(err, fs.ErrNotExist) || string(bound) == b.KeyID {
		return err
	}
	accounts := path.Join(path.Dir(bindingKey(issuer)), "users")
	if all, err := stored.List(ctx, accounts, false); err != nil || len(all) == 0 {
		return nil // there is none yet
	}
	c.log.Info("the account at the CA is made anew, for eab was given since", "ca", issuer.CA, "key_id", b.KeyID)
	return stored.Delete(ctx, accounts)
}

// bindingKey is where the storage has the identifier that the accounts at issuer
// were bound with; certmagic has the accounts beside it, under "users".
func bindingKey(issuer *certmagic.ACMEIssuer) string {
	return path.Join("acme", certmagic.StorageKeys.Safe(issuer.IssuerKey()), "eab")
}

func (b EAB) check(complain func(key, hint, format string, args ...any)) {
	if b.KeyID == "" {
		complain("eab.key_id", "set key_id to what the CA gave you with the key", "eab names no key")
	}
	if b.HMACFile == "" {
		complain("eab.hmac_file", "set hmac_file to a file that holds the key", "eab has no HMAC key")
	} else if _, err := b.key(); err != nil {
		complain("eab.hmac_file", "copy the key of the CA into the file, without anything around it", "%v", err)
	}
}
