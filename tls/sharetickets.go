package tls

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"time"

	"roost/tls/redisstore"
)

// share makes the keys those of all boxes that share s: what is there is
// taken, and the next is made by whoever comes first when it is time. Tickets
// of before, under keys of this box alone, are good here as long as they would be.
func (t *tickets) share(ctx context.Context, s *shared) error {
	keys, err := loadTickets(ctx, s)
	if err != nil {
		return err
	}
	if ripe(keys, time.Now()) {
		if err := s.Lock(ctx, redisstore.Tickets); err != nil {
			return err
		}
		defer s.Unlock(context.WithoutCancel(ctx), redisstore.Tickets)
		if keys, err = loadTickets(ctx, s); err != nil {
			return err
		}
		if now := time.Now(); ripe(keys, now) {
			if keys = next(keys, now); len(keys) == 1 {
				t.mu.Lock()
				keys = slices.Clone(t.keys) // the first box gives its own to all
				t.mu.Unlock()
			}
			text, err := json.Marshal(keys)
			if err != nil {
				return err
			}
			if err := s.Store(ctx, redisstore.Tickets, text); err != nil {
				return err
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shared = time.Now()
	merged := slices.Clone(keys)
	for _, own := range t.keys {
		if !holds(merged, own) && len(merged) < 2*ticketKeys {
			merged = append(merged, own) // only to take tickets by, for no new one is given under it
		}
	}
	if slices.EqualFunc(merged, t.keys, func(a, b ticketKey) bool { return bytes.Equal(a.Key, b.Key) }) {
		return nil
	}
	t.keys, t.stored = merged, false
	t.use()
	return nil
}

// loadTickets returns the keys in s; none where there are none, or nothing that can be read.
func loadTickets(ctx context.Context, s *shared) (keys []ticketKey, err error) {
	text, err := s.Load(ctx, redisstore.Tickets)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, redisstore.ErrDamaged):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if json.Unmarshal(text, &keys) != nil {
		return nil, nil
	}
	return fresh(keys, time.Now()), nil
}

// ripe reports whether it is time for another key.
func ripe(keys []ticketKey, now time.Time) bool {
	return len(keys) == 0 || now.Sub(keys[0].Made) >= ticketTurn
}

func holds(keys []ticketKey, key ticketKey) bool {
	return slices.ContainsFunc(keys, func(k ticketKey) bool { return bytes.Equal(k.Key, key.Key) })
}
