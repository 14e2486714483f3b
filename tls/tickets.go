package tls

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"roost/internal/durable"
)

const (
	ticketTurn = 12 * time.Hour // a new key each
	ticketKeys = 4              // kept: a session can be resumed for at least 36 hours

	ticketPatience = 10 * time.Minute // for the storage that boxes share
)

// ticketKey encrypts what clients keep of a session (RFC 8446, section 4.6.1).
type ticketKey struct {
	Made time.Time `json:"made"`
	Key  []byte    `json:"key"` // 32 bytes
}

// tickets are the keys that all listeners of the box share, and the file that
// has them survive a restart. Whoever has a key can read the sessions of TLS
// 1.2 that were begun under it, so none is kept for long.
type tickets struct {
	file string
	log  *slog.Logger
	// box holds the keys for crypto/tls. It is never a connection's own Config:
	// those are cloned, by QUIC for each connection, and clones do not hear of new keys.
	box *tls.Config

	mu      sync.Mutex  // guards what follows, and the file
	keys    []ticketKey // newest first
	stored  bool        // the file has them
	shared  time.Time   // when they last were those of all boxes
	failing bool        // to store them
}

// newTickets reads the keys, or makes the first; turn stores that.
func newTickets(file string, log *slog.Logger) *tickets {
	t := &tickets{file: file, log: log, box: &tls.Config{}}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &t.keys)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("cannot use the keys of session tickets: clients do a full handshake once", "file", file, "error", err)
		t.keys = nil
	}
	t.stored = err == nil
	t.renew(time.Now())
	return t
}

// turn makes a new key when it is time for one, and stores what is not stored yet.
func (t *tickets) turn(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.renew(now)
	if t.stored {
		return
	}
	text, err := json.Marshal(t.keys)
	if err == nil {
		err = durable.WriteFile(t.file, text, 0o600)
	}
	t.stored = err == nil
	if failed := err != nil; failed != t.failing {
		if t.failing = failed; failed {
			t.log.Warn("cannot store the keys of session tickets: after a restart clients do a full handshake once", "error", err)
		}
	}
}

// renew drops the keys that are too old, or of a time that only a wrong clock
// has seen, and makes the next when the newest has had its time.
func (t *tickets) renew(now time.Time) {
	t.keys = fresh(t.keys, now)
	turn := ticketTurn
	if now.Sub(t.shared) < ticketTurn {
		turn += ticketPatience // one of the boxes makes the next for all
	}
	if len(t.keys) == 0 || now.Sub(t.keys[0].Made) >= turn {
		t.keys = next(t.keys, now)
		t.stored = false
	}
	t.use()
}

// fresh are those of keys that are good now.
func fresh(keys []ticketKey, now time.Time) []ticketKey {
	return slices.DeleteFunc(keys, func(k ticketKey) bool {
		age := now.Sub(k.Made)
		return age < 0 || age >= ticketKeys*ticketTurn || len(k.Key) != 32
	})
}

// next puts a new key before keys.
func next(keys []ticketKey, now time.Time) []ticketKey {
	key := ticketKey{Made: now, Key: make([]byte, 32)}
	rand.Read(key.Key) // never fails
	return append([]ticketKey{key}, keys[:min(len(keys), ticketKeys-1)]...)
}

// use has handshakes go by the keys.
func (t *tickets) use() {
	all := make([][32]byte, len(t.keys))
	for i, k := range t.keys {
		copy(all[i][:], k.Key)
	}
	t.box.SetSessionTicketKeys(all)
}

// give has config issue and take tickets under the keys of the box. A session
// is taken up again only under the name that it was begun with (RFC 8446,
// section 4.6.1) and where clients are trusted as they were then: else a
// ticket of one site would open another, without the certificate that asks for.
func (t *tickets) give(config *tls.Config, trust string) {
	config.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ss.Extra = append(ss.Extra, belonging(cs.ServerName, trust))
		return t.box.EncryptTicket(cs, ss)
	}
	config.UnwrapSession = func(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := t.box.DecryptTicket(ticket, cs)
		if err != nil || ss == nil {
			return nil, err
		}
		own := belonging(cs.ServerName, trust)
		if !slices.ContainsFunc(ss.Extra, func(extra []byte) bool { return bytes.Equal(extra, own) }) {
			return nil, nil // as if it could not be read: a full handshake
		}
		return ss, nil
	}
}

// belonging stands in a ticket for the name and the trust of its session.
func belonging(name, trust string) []byte {
	sum := sha256.Sum256([]byte("roost " + strings.ToLower(name) + "\n" + trust))
	return sum[:]
}
