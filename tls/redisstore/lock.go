package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/redis/go-redis/v9"
)

// ErrFenced says that something was not written, for another box has, or has
// had, the lock that it is written under.
var ErrFenced = errors.New("another box has taken over meanwhile")

// lock is one that this process believes to hold.
//
// A lock has an end, which its holder moves on as long as it lives. A holder
// that does not (paused, cut off) may lose it without noticing. So every lock
// that is given away has a token that nobody ever had, the server notes the
// last, and writes under the lock are refused, in one step with the check, when
// theirs is not the last. As long as nobody else has got the lock, its end
// alone refuses nothing: what a slow holder has is good.
//
// A server that forgets (a restart without its data, a failover that lost the
// last writes) may give a lock away twice; of the two holders only the later
// one can write.
type lock struct {
	token string
	stop  context.CancelFunc // ends its renewal
}

const remembered = 24 * time.Hour // the last holder of a lock that was never freed

var (
	getting = redis.NewScript(`
local now = redis.call('GET', KEYS[1])
if now and now ~= ARGV[1] then return math.max(1, redis.call('PTTL', KEYS[1])) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
return 0`)
	keeping = redis.NewScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1`)
	freeing = redis.NewScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`)
)

// guardOf is the lock that a key is written under; empty when there is none.
// certmagic replaces the certificate of a name under that of its orders. (What
// it writes there without, when a CA is to be asked again about renewal, is
// refused while somebody orders.)
func guardOf(key string) string {
	parts := strings.Split(key, "/")
	switch {
	case len(parts) == 4 && parts[0] == "certificates":
		return "issue_cert_" + parts[2]
	case key == Tickets:
		return Tickets
	}
	return ""
}

// Tickets is the key of what all boxes give clients their sessions under, and
// the name of the lock that it is written under.
const Tickets = "tickets.json"

func (s *Redis) lockKeys(name string) []string {
	return []string{s.name("lock:", name), s.name("last:", name)}
}

// Lock implements certmagic.Locker. It waits until it is told that the lock is
// free, or its holder's time is over.
func (s *Redis) Lock(ctx context.Context, name string) error {
	name = certmagic.StorageKeys.Safe(name)
	token := rand.Text()
	for {
		free := s.free(name) // before the look, so that nothing is missed
		left, err := s.get(ctx, name, token)
		if err != nil || left == 0 {
			return err
		}
		// News may be lost; then it is a wait of seconds.
		wait := time.NewTimer(min(left, 2*time.Second) + mathrand.N(100*time.Millisecond))
		select {
		case <-free:
		case <-wait.C:
		case <-ctx.Done():
		}
		wait.Stop()
		if ctx.Err() != nil {
			return fmt.Errorf("cannot wait for the lock %s any longer: %w", name, context.Cause(ctx))
		}
	}
}

// TryLock implements certmagic.TryLocker.
func (s *Redis) TryLock(ctx context.Context, name string) (bool, error) {
	left, err := s.get(ctx, certmagic.StorageKeys.Safe(name), rand.Text())
	return err == nil && left == 0, err
}

// get gets a lock, or returns for how long another has it.
func (s *Redis) get(ctx context.Context, name, token string) (left time.Duration, err error) {
	if s.token(name) != "" {
		return s.o.Lease, nil // this process has it until its Unlock, whatever the server says
	}
	err = s.do(ctx, func(ctx context.Context) error {
		ms, err := getting.Run(ctx, s.client, s.lockKeys(name), token, s.o.Lease.Milliseconds(), remembered.Milliseconds()).Int64()
		left = time.Duration(ms) * time.Millisecond
		return err
	})
	if err != nil || left > 0 {
		return left, err
	}
	own, stop := context.WithCancel(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[name] = &lock{token, stop}
	s.locks++
	go s.keep(own, name, token)
	return 0, nil
}

// keep moves the end of a lock until it is freed or somebody else's.
func (s *Redis) keep(ctx context.Context, name, token string) {
	turn := time.NewTicker(s.o.Lease / 3)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
		}
		kept := true
		err := s.do(ctx, func(ctx context.Context) (err error) {
			kept, err = keeping.Run(ctx, s.client, s.lockKeys(name), token, s.o.Lease.Milliseconds(), remembered.Milliseconds()).Bool()
			return err
		})
		if err == nil && !kept {
			return // Unlock is yet to come; writes are refused until then
		}
	}
}

// Unlock implements certmagic.Locker. A lock that was lost is no error: it is not held.
func (s *Redis) Unlock(ctx context.Context, name string) error {
	name = certmagic.StorageKeys.Safe(name)
	s.mu.Lock()
	l := s.held[name]
	delete(s.held, name)
	s.mu.Unlock()
	if l == nil {
		return nil
	}
	defer s.unused()
	l.stop()
	s.freed(name) // others of this process
	return s.do(ctx, func(ctx context.Context) error {
		return freeing.Run(ctx, s.client, s.lockKeys(name), l.token, s.name("news", ""), "free "+name).Err()
	})
}

// unused notes that a lock is freed.
func (s *Redis) unused() {
	s.mu.Lock()
	s.locks--
	last := s.retired && s.locks == 0
	s.mu.Unlock()
	if last {
		s.client.Close()
	}
}

// token is that of a lock of this process, empty when it holds none of the name.
func (s *Redis) token(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.held[name]; l != nil {
		return l.token
	}
	return ""
}

// free is closed when the lock may be free.
func (s *Redis) free(name string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.waiting[name]
	if c == nil {
		c = make(chan struct{})
		s.waiting[name] = c
	}
	return c
}

func (s *Redis) freed(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.waiting[name]; c != nil {
		close(c)
		delete(s.waiting, name)
	}
}
