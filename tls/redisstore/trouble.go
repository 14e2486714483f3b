package redisstore

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Error is why the storage cannot be used, in words. It hides its cause: a
// socket that does not exist must not be taken for a value that does not.
type Error struct {
	// Text is what happened, Hint what a person can do.
	Text, Hint string
	// away: nobody answers, which is not worth finding out for each request.
	away bool
}

func (e *Error) Error() string { return e.Text }

// trouble is an Error and when it was.
type trouble struct {
	*Error
	at time.Time
}

// rest is how long nothing is asked after nobody has answered.
const rest = time.Second

// Trouble is what was wrong with the last request; nil when nothing was.
func (s *Redis) Trouble() *Error {
	if t := s.trouble.Load(); t != nil {
		return t.Error
	}
	return nil
}

// do makes a request, in bounded time, and notes whether the server is well.
// The error is an *Error, redis.Nil or ctx's, or f's own when it is not about the server.
func (s *Redis) do(ctx context.Context, f func(context.Context) error) error {
	if t := s.trouble.Load(); t != nil && t.away && time.Since(t.at) < rest {
		return t.Error
	}
	own, cancel := context.WithTimeout(ctx, s.o.Patience)
	defer cancel()
	err := s.check(own)
	if err == nil {
		err = f(own)
	}
	if err == nil || errors.Is(err, redis.Nil) || errors.Is(err, ErrFenced) {
		s.trouble.Store(nil)
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := s.explain(err)
	s.checked.Store(false) // it may be another server when it answers again
	if s.trouble.Swap(&trouble{e, time.Now()}) == nil {
		s.tell()
	}
	return e
}

// check sees that the server has nothing that was sealed with another key, once.
func (s *Redis) check(ctx context.Context) error {
	if s.checked.Load() {
		return nil
	}
	mine := hex.EncodeToString(s.key.Load().id[:])
	id, err := first.Run(ctx, s.client, []string{s.name("key", "")}, mine).Text()
	switch {
	case err != nil:
		return err
	case id != mine:
		return s.otherKey()
	}
	s.checked.Store(true)
	return nil
}

func (s *Redis) otherKey() *Error {
	return &Error{
		Text: "what is in the storage " + s.where + " was stored with another key than this box has",
		Hint: "give every box that uses the storage the same storage_key_file, or this one another database, such as /1 at the end of the URL",
	}
}

// explain makes an error for people.
func (s *Redis) explain(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	say := func(text, hint string) *Error {
		return &Error{Text: "the storage " + s.where + " " + text, Hint: hint}
	}
	code, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "ERR "), " ")
	switch code {
	case "NOAUTH":
		return say("wants a password", "put it into a file and name it with storage_password_file")
	case "WRONGPASS", "AUTH":
		return say("refuses the user or the password", "see that storage_password_file, or the URL, has those of the server (requirepass, ACL)")
	case "NOPERM":
		return say("does not allow its user what is needed: "+err.Error(), "allow it +@all -@dangerous on the keys and channels roost:* (ACL SETUSER)")
	case "READONLY", "MASTERDOWN":
		return say("is a replica that cannot be written", "name its primary in storage")
	case "OOM":
		return say("is full", "allow it more memory (maxmemory), and let it evict nothing (maxmemory-policy noeviction)")
	case "MISCONF", "NOREPLICAS":
		return say("takes no writes: "+err.Error(), "see its log: it cannot save its data as it is told to")
	case "LOADING", "BUSY", "TRYAGAIN":
		return say("is not ready: "+err.Error(), "wait: it is asked again")
	case "MOVED", "CROSSSLOT", "CLUSTERDOWN":
		return say("is a cluster", "use one server, with replicas if you like")
	case "DB", "SELECT":
		return say("does not have the database of the URL: "+err.Error(), "use a smaller number at the end of the URL, or allow more (databases)")
	}
	var dial *net.OpError
	var host *net.DNSError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	const reach = "see that redis-server runs there, and that this box reaches it; what is there is served meanwhile"
	switch {
	case errors.As(err, &unknown), errors.As(err, &name):
		return say("cannot be trusted: "+err.Error(), "name the root of its certificate with ca_root in [tls], or the host as the certificate does")
	case errors.As(err, &host):
		e := say("cannot be found: "+host.Error(), "see that its name is right, and that the resolver of this box knows it")
		e.away = true
		return e
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, redis.ErrPoolTimeout), errors.As(err, &dial) && dial.Timeout():
		e := say(fmt.Sprintf("does not answer within %v", s.o.Patience), reach)
		e.away = true
		return e
	case errors.As(err, &dial):
		e := say("cannot be reached: "+dial.Err.Error(), reach)
		e.away = true
		return e
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e := say("has closed the connection", "see that redis-server runs there; where it speaks TLS, write rediss instead of redis")
		e.away = true
		return e
	}
	return say("cannot be used: "+err.Error(), "")
}

var errURL = errors.New("not a URL of Redis")

// CheckURL says whether url is one of a server: redis://[user[:password]@]host[:port]/[database],
// rediss:// for TLS, unix://[user[:password]@]/path/of/socket?db=database.
func CheckURL(url string) error {
	if _, err := redis.ParseURL(url); err != nil {
		return errURL // its own words may have the password in them
	}
	return nil
}

// HasPassword reports whether url has a password in it.
func HasPassword(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return false
	}
	_, has := u.User.Password()
	return has
}

// Redacted is url without its password, and nothing of one that cannot be read.
func Redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return "of Redis"
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	u.RawQuery, u.Fragment = onlyDB(u.Query()), ""
	return u.String()
}

func onlyDB(q url.Values) string {
	if db := q.Get("db"); db != "" {
		return url.Values{"db": {db}}.Encode()
	}
	return ""
}
