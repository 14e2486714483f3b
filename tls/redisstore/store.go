// Package redisstore keeps certificates in Redis, for boxes that share a
// domain: it implements certmagic.Storage. Package tls uses it.
//
//	roost:value:<key>   a value, sealed (seal.go)
//	roost:index         all keys, in the order of their bytes
//	roost:changes       all keys by the number of their last change; roost:seq is the newest
//	roost:lock:<name>   who holds a lock; goes away by itself (lock.go)
//	roost:last:<name>   who was the last to get it
//	roost:key           which key the values are sealed with
//	roost:news          a channel: "free <name>" of locks, "new" of values
//
// Everything that must not be torn apart is one Lua script on one server, so
// Redis Cluster is not supported; a server with replicas is.
package redisstore

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Options say where the server is. URL and Key are required.
type Options struct {
	// URL is as CheckURL takes it.
	URL string
	// Key is what values are sealed with, as ReadKey returns it.
	Key Key
	// Password returns the password instead of the URL; nil: that of the URL. It is called for each connection.
	Password func() (string, error)
	// Roots are trusted for rediss; the system's when nil.
	Roots *x509.CertPool
	// Prefix is before all keys of the server; "roost:" when empty.
	Prefix string
	// Lease is how long a lock outlives a holder that is gone; 30 s when 0.
	Lease time.Duration
	// Patience bounds every request to the server; 5 s when 0.
	Patience time.Duration
}

// Redis is a certmagic.Storage. It may be used before Run and without it, but
// then waits longer for locks than it must.
type Redis struct {
	// News receives after something was stored that has a lock, by whomever, and when trouble begins. It holds one.
	News chan struct{}

	o       Options
	client  *redis.Client
	where   string // for people, without a password
	checked atomic.Bool
	trouble atomic.Pointer[trouble] // with the last request; nil: none
	key     atomic.Pointer[Key]

	mu      sync.Mutex               // guards all below
	held    map[string]*lock         // by name
	locks   int                      // that are held or being freed
	retired bool                     // closed when there are none
	waiting map[string]chan struct{} // for a lock to be free; closed then
}

var _ interface {
	certmagic.Storage
	certmagic.TryLocker
} = (*Redis)(nil)

func init() { redis.SetLogger(silent{}) } // what it has to say comes back as errors

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// New returns a Redis. It connects when it is first used.
func New(o Options) (*Redis, error) {
	o.Prefix = cmp.Or(o.Prefix, "roost:")
	o.Lease = cmp.Or(o.Lease, 30*time.Second)
	o.Patience = cmp.Or(o.Patience, 5*time.Second)
	options, err := redis.ParseURL(o.URL)
	if err != nil {
		return nil, errURL
	}
	options.ContextTimeoutEnabled = true
	options.DialTimeout = cmp.Or(options.DialTimeout, o.Patience/2)
	options.MaxRetries = cmp.Or(options.MaxRetries, 1)
	options.DialerRetries = 1
	options.DisableIdentity = true // needs a right that the user may not have
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if o.Roots != nil && options.TLSConfig != nil {
		options.TLSConfig.RootCAs = o.Roots
	}
	if o.Password != nil {
		user := options.Username
		options.CredentialsProviderContext = func(context.Context) (string, string, error) {
			password, err := o.Password()
			return user, password, err
		}
	}
	s := &Redis{
		News: make(chan struct{}, 1), o: o, client: redis.NewClient(options), where: Redacted(o.URL),
		held: map[string]*lock{}, waiting: map[string]chan struct{}{},
	}
	s.key.Store(&o.Key)
	return s, nil
}

// Rekey has values sealed and opened with another key from now on.
func (s *Redis) Rekey(key Key) {
	s.key.Store(&key)
	s.checked.Store(false)
}

// Retire closes s as soon as it holds no lock: what is written under one still is.
func (s *Redis) Retire() {
	s.mu.Lock()
	s.retired = true
	idle := s.locks == 0
	s.mu.Unlock()
	if idle {
		s.client.Close()
	}
}

// Close ends the renewal of all locks and closes all connections.
func (s *Redis) Close() error {
	s.mu.Lock()
	for _, l := range s.held {
		l.stop()
	}
	s.mu.Unlock()
	return s.client.Close()
}

// String is the URL without what is secret, for logs.
func (s *Redis) String() string { return s.where }

func (s *Redis) name(kind, key string) string { return s.o.Prefix + kind + key }

// The scripts get KEYS in the order of Redis.write. A write under a lock has
// the token of its holder, and is refused when somebody has got the lock since
// (-1); one without, while somebody holds it.
const fenced = `
if ARGV[2] ~= '' then
  if redis.call('GET', KEYS[6]) ~= ARGV[2] then return -1 end
elseif ARGV[3] == '1' and redis.call('EXISTS', KEYS[5]) == 1 then return -1 end
`

var (
	storing = redis.NewScript(fenced + `
local n = redis.call('INCR', KEYS[4])
redis.call('SET', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('ZADD', KEYS[3], n, ARGV[1])
if ARGV[3] == '1' then redis.call('PUBLISH', ARGV[4], 'new') end
return n`)
	deleting = redis.NewScript(fenced + `
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 0`)
	first = redis.NewScript(`
local key = redis.call('GET', KEYS[1])
if key then return key end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]`)
)

// write runs storing or deleting.
func (s *Redis) write(ctx context.Context, script *redis.Script, key string, value ...any) error {
	guard := guardOf(key)
	token := s.token(guard)
	guarded := "0"
	if guard != "" {
		guarded = "1"
	}
	keys := []string{s.name("value:", key), s.name("index", ""), s.name("changes", ""), s.name("seq", ""), s.name("lock:", guard), s.name("last:", guard)}
	return s.do(ctx, func(ctx context.Context) error {
		n, err := script.Run(ctx, s.client, keys, append([]any{key, token, guarded, s.name("news", "")}, value...)...).Int64()
		if err == nil && n < 0 {
			return fmt.Errorf("%w: %s", ErrFenced, guard)
		}
		return err
	})
}

// Store implements certmagic.Storage. The error is ErrFenced when the lock
// that the key is written under is another's now.
func (s *Redis) Store(ctx context.Context, key string, value []byte) error {
	return s.write(ctx, storing, key, s.key.Load().seal(s.name("value:", key), value, time.Now()))
}

// Delete implements certmagic.Storage, fenced as Store.
func (s *Redis) Delete(ctx context.Context, key string) error {
	below, err := s.below(ctx, key)
	if err != nil {
		return err
	}
	for _, k := range append(below, key) {
		if err := s.write(ctx, deleting, k); err != nil {
			return err
		}
	}
	return nil
}

// Load implements certmagic.Storage. The error is ErrDamaged when the value is
// not what was stored under this key.
func (s *Redis) Load(ctx context.Context, key string) ([]byte, error) {
	value, _, err := s.load(ctx, key)
	return value, err
}

func (s *Redis) load(ctx context.Context, key string) (value []byte, modified time.Time, err error) {
	var sealed []byte
	err = s.do(ctx, func(ctx context.Context) (err error) {
		sealed, err = s.client.Get(ctx, s.name("value:", key)).Bytes()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, time.Time{}, fmt.Errorf("%s: %w", key, fs.ErrNotExist)
	}
	if err == nil {
		value, modified, err = s.key.Load().open(s.name("value:", key), sealed)
	}
	if errors.Is(err, errOtherKey) {
		err = s.otherKey()
	}
	return value, modified, err
}

// Exists implements certmagic.Storage. While the server does not answer, it
// says yes, as that of files does: nothing is ordered then.
func (s *Redis) Exists(ctx context.Context, key string) bool {
	var n int64
	err := s.do(ctx, func(ctx context.Context) (err error) {
		n, err = s.client.Exists(ctx, s.name("value:", key)).Result()
		return err
	})
	if err != nil || n > 0 {
		return true
	}
	below, err := s.below(ctx, key)
	return err != nil || len(below) > 0
}

// below lists all keys that have dir as their folder or above it, in order.
func (s *Redis) below(ctx context.Context, dir string) (keys []string, err error) {
	from, to := "["+dir+"/", "("+dir+"0" // '0' is behind '/'
	if dir == "" {
		from, to = "-", "+"
	}
	err = s.do(ctx, func(ctx context.Context) (err error) {
		keys, err = s.client.ZRangeArgs(ctx, redis.ZRangeArgs{Key: s.name("index", ""), Start: from, Stop: to, ByLex: true}).Result()
		return err
	})
	// Nothing seals the index, and copies of values are files.
	return slices.DeleteFunc(keys, func(key string) bool {
		return !fs.ValidPath(key) || !filepath.IsLocal(filepath.FromSlash(key))
	}), err
}

// List implements certmagic.Storage.
func (s *Redis) List(ctx context.Context, dir string, recursive bool) ([]string, error) {
	keys, err := s.below(ctx, dir)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, fs.ErrNotExist)
	}
	if !recursive {
		for i, key := range keys {
			next, _, _ := strings.Cut(strings.TrimPrefix(key[len(dir):], "/"), "/")
			keys[i] = path.Join(dir, next)
		}
		keys = slices.Compact(keys)
	}
	return keys, nil
}

// Stat implements certmagic.Storage.
func (s *Redis) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	value, modified, err := s.load(ctx, key)
	if err == nil {
		return certmagic.KeyInfo{Key: key, Modified: modified, Size: int64(len(value)), IsTerminal: true}, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		if below, failed := s.below(ctx, key); failed != nil || len(below) > 0 {
			return certmagic.KeyInfo{Key: key}, failed
		}
	}
	return certmagic.KeyInfo{}, err
}

// Changed returns the keys that were stored after the change of number since,
// and the number to ask with the next time. Those of a server that has
// forgotten everything begin anew.
func (s *Redis) Changed(ctx context.Context, since int64) (keys []string, now int64, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		now, err = s.client.Get(ctx, s.name("seq", "")).Int64()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if now < since {
			since = 0
		}
		keys, err = s.client.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: s.name("changes", ""), ByScore: true, Start: fmt.Sprintf("(%d", since), Stop: "+inf",
		}).Result()
		return err
	})
	return keys, now, err
}

// Run hears what other boxes do, until ctx ends: waits for locks end at once, and there is News.
func (s *Redis) Run(ctx context.Context) {
	messages := s.client.Subscribe(ctx, s.name("news", ""))
	defer messages.Close()
	defer context.AfterFunc(ctx, func() { messages.Close() })() // ends the wait below
	for ctx.Err() == nil {
		heard, err := messages.ReceiveTimeout(ctx, 30*time.Second)
		var late net.Error
		switch m, _ := heard.(*redis.Message); {
		case errors.As(err, &late) && late.Timeout():
			messages.Ping(ctx) // notices a connection that is none
		case err != nil:
			select {
			case <-ctx.Done():
			case <-time.After(rest):
			}
		case m == nil: // listening, maybe again
			s.tell()
		case strings.HasPrefix(m.Payload, "free "):
			s.freed(strings.TrimPrefix(m.Payload, "free "))
		default:
			s.tell()
		}
	}
}

func (s *Redis) tell() {
	select {
	case s.News <- struct{}{}:
	default:
	}
}
