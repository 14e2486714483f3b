package redisstore

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// ErrDamaged says that a value is not what was stored under its key: it was
// changed, or is another's.
var ErrDamaged = errors.New("the stored value was changed by somebody who does not have the key")

var errOtherKey = errors.New("sealed with another key")

// Key is what values are sealed with, AES-256-GCM; its zero value is none. The
// server, and who can read or write it, sees the names of values and their
// lengths; what it changes or moves to another name is noticed, but not when it
// puts back what the same name has had before.
//
//	1 byte   version, 1
//	8 bytes  which key: the beginning of a hash of it
//	8 bytes  when it was stored, in ms since 1970
//	12       nonce, random
//	rest     the value and its tag of 16 bytes; the name and the 17 bytes
//	         before the nonce are authenticated with it
type Key struct {
	id   [8]byte
	aead cipher.AEAD
}

const (
	version = 1
	head    = 1 + 8 + 8
)

// NewKey makes a Key of 32 bytes.
func NewKey(secret []byte) (Key, error) {
	block, err := aes.NewCipher(secret)
	if err != nil || len(secret) != 32 {
		return Key{}, fmt.Errorf("want 32 bytes, not %d", len(secret))
	}
	k := Key{}
	if k.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return Key{}, err
	}
	sum := sha256.Sum256(append([]byte("roost storage key\n"), secret...))
	copy(k.id[:], sum[:])
	return k, nil
}

// ReadKey reads a key from a file: 32 bytes in base64 or hex, that nobody but
// its owner can read.
func ReadKey(file string) (Key, error) {
	info, err := os.Stat(file)
	if err != nil {
		return Key{}, fmt.Errorf("cannot read the key of the storage: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return Key{}, fmt.Errorf("%s can be read by others (%v): chmod 600 %s", file, info.Mode().Perm(), file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return Key{}, fmt.Errorf("cannot read the key of the storage: %w", err)
	}
	key, err := parseKey(strings.TrimSpace(string(text)))
	if err != nil {
		return Key{}, fmt.Errorf("%s holds no key: %w", file, err)
	}
	return key, nil
}

func parseKey(text string) (Key, error) {
	if secret, err := hex.DecodeString(text); err == nil && len(secret) == 32 {
		return NewKey(secret)
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	secret, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return Key{}, errors.New("it is neither base64 nor hex")
	}
	return NewKey(secret)
}

// Equal reports whether both are the same key.
func (k Key) Equal(other Key) bool { return k.id == other.id }

func (k Key) seal(name string, value []byte, at time.Time) []byte {
	sealed := append([]byte{version}, k.id[:]...)
	sealed = binary.BigEndian.AppendUint64(sealed, uint64(at.UnixMilli()))
	return k.aead.Seal(sealed, nil, value, append(sealed[:head:head], name...))
}

func (k Key) open(name string, sealed []byte) (value []byte, at time.Time, err error) {
	if len(sealed) < head || sealed[0] != version {
		return nil, at, ErrDamaged
	}
	if !bytes.Equal(sealed[1:9], k.id[:]) {
		return nil, at, errOtherKey
	}
	value, err = k.aead.Open(nil, nil, sealed[head:], append(sealed[:head:head], name...))
	if err != nil {
		return nil, at, ErrDamaged
	}
	return value, time.UnixMilli(int64(binary.BigEndian.Uint64(sealed[9:head]))), nil
}
