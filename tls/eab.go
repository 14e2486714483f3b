package tls

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
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

// bind gives a new account the binding. certmagic calls it before it makes one,
// while it holds the issuer's lock.
func (b EAB) bind(_ context.Context, issuer *certmagic.ACMEIssuer, account acme.Account) (acme.Account, error) {
	key, err := b.key()
	if err != nil {
		return account, err
	}
	issuer.ExternalAccount = &acme.EAB{KeyID: b.KeyID, MACKey: key}
	return account, nil
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
