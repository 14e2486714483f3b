package host

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/singleflight"
)

// BasicAuth asks for a name and a password (RFC 7617). They go on to the app,
// as with other servers.
type BasicAuth struct {
	// Realm is what browsers may show; "Restricted" when absent.
	Realm string `toml:"realm" json:"realm,omitempty"`
	// Users are the bcrypt hashes of passwords by name; make them with: roost hash-password.
	Users map[string]string `toml:"users" json:"users,omitempty"`
	Switch
}

// basicAuth checks credentials. What was right once is remembered, for as long
// as the same users are wanted; all else costs a computation of bcrypt, of
// which few run at a time, whoever asks.
type basicAuth struct {
	realm string
	users map[string][]byte
	cost  int                               // the highest of all users
	wrong *tokenBuckets                     // by client and user
	tried *tokenBuckets                     // by client: guesses at all users
	first singleflight.Group                // of the same credentials from the same client, at the same time
	match func(hash, password []byte) error // a seam: bcrypt
	turns chan struct{}                     // hashing

	key   [sha256.Size]byte // of what is remembered
	mu    sync.Mutex        // held to remember
	right atomic.Pointer[map[[sha256.Size]byte]bool]
}

const (
	maxRemembered = 4096             // credentials; a browser has one
	wrongAtOnce   = 10               // guesses at one user's password from one address, and then
	wrongEach     = 10 * time.Second // one in so long
	triedAtOnce   = 100              // guesses at whatever users from one address, and then
	triedEach     = time.Second      // one in so long
	hashingWait   = 5 * time.Second  // for one's turn at bcrypt
)

// MinPasswordCost and MaxPasswordCost are the costs of bcrypt that are taken;
// the highest is about a second of one core.
const (
	MinPasswordCost = 4
	MaxPasswordCost = 14
)

// hashing has a place for each computation of bcrypt that may run: half of the
// cores at most are busy with guesses.
var hashing = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))

func newBasicAuth(c BasicAuth) *basicAuth {
	a := &basicAuth{
		realm: c.Realm, users: map[string][]byte{},
		wrong: newTokenBuckets(wrongAtOnce, wrongEach), tried: newTokenBuckets(triedAtOnce, triedEach),
		match: bcrypt.CompareHashAndPassword, turns: hashing,
	}
	a.right.Store(&map[[sha256.Size]byte]bool{})
	rand.Read(a.key[:])
	for name, hash := range c.Users {
		a.users[name] = []byte(hash)
		a.cost = max(a.cost, costOf([]byte(hash)))
	}
	return a
}

func costOf(hash []byte) int {
	cost, _ := bcrypt.Cost(hash)
	return cost
}

func (a *basicAuth) middleware() echo.MiddlewareFunc {
	return middleware.BasicAuthWithConfig(middleware.BasicAuthConfig{Realm: a.realm, Validator: a.validate})
}

// validate is for Echo.
func (a *basicAuth) validate(user, password string, c echo.Context) (bool, error) {
	mac := a.mac(user, password)
	ok := a.remembers(mac)
	if !ok {
		// A page's requests come all at once: the first one asks for all.
		client := clientKey(c.Request())
		_, err, _ := a.first.Do(string(mac[:])+client, func() (any, error) {
			return nil, a.check(mac, client, user, password)
		})
		var wait tooSoon
		switch {
		case err == nil:
			ok = true
		case errors.As(err, &wait):
			retryAfter(c.Response().Header(), time.Duration(wait))
			return false, echo.ErrTooManyRequests
		case errors.Is(err, context.DeadlineExceeded):
			retryAfter(c.Response().Header(), hashingWait)
			return false, echo.ErrServiceUnavailable
		}
	}
	if x := exchangeOf(c.Response().Writer); ok && x != nil {
		x.user = user
	}
	return ok, nil
}

// check computes. The error is tooSoon, where this client has guessed too
// often, DeadlineExceeded, or that the credentials are wrong.
func (a *basicAuth) check(mac [sha256.Size]byte, client, user, password string) error {
	if a.remembers(mac) {
		return nil
	}
	undo, wait := a.guess(client, user)
	if wait > 0 {
		return tooSoon(wait)
	}
	turn := time.NewTimer(hashingWait)
	defer turn.Stop()
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-turn.C:
		undo()
		return context.DeadlineExceeded
	}
	hash, known := a.users[user]
	if err := a.compare(hash, known, password); err != nil {
		return err
	}
	undo()
	a.remember(mac)
	return nil
}

// guess counts a guess. A client that guesses at one user does not lock out
// another behind the same address, unless it guesses at many. Users that there
// are not count like others: a 429 tells nobody which there are.
func (a *basicAuth) guess(client, user string) (undo func(), wait time.Duration) {
	if wait := a.tried.take(client); wait > 0 {
		return nil, wait
	}
	name := a.mac(user, "") // short, whatever is sent
	both := client + string(name[:])
	if wait := a.wrong.take(both); wait > 0 {
		a.tried.putBack(client)
		return nil, wait
	}
	return func() { a.tried.putBack(client); a.wrong.putBack(both) }, 0
}

// compare takes as long for any user, known or not, as for the one with the
// highest cost: 2^c rounds for one's own, and as many as are missing
// (2^c + 2^c + 2^(c+1) + … + 2^(max-1) = 2^max).
func (a *basicAuth) compare(hash []byte, known bool, password string) error {
	err := bcrypt.ErrMismatchedHashAndPassword
	cost := a.cost
	if known {
		cost = costOf(hash)
		err = a.match(hash, []byte(password))
	} else {
		a.match(nobody(cost), []byte(password))
	}
	for ; cost < a.cost; cost++ {
		a.match(nobody(cost), []byte(password))
	}
	return err
}

// nobody is the hash of no known password.
func nobody(cost int) []byte {
	return fmt.Appendf(nil, "$2a$%02d$%s", cost, strings.Repeat(".", 22+31)) // salt and sum
}

// mac is what credentials are remembered by: nobody who reads it can tell what
// they are, without the key.
func (a *basicAuth) mac(user, password string) [sha256.Size]byte {
	text := make([]byte, 0, 256)
	text = append(append(text, a.key[:]...), user...)
	return sha256.Sum256(append(append(text, ':'), password...)) // a name has no colon
}

func (a *basicAuth) remembers(mac [sha256.Size]byte) bool { return (*a.right.Load())[mac] }

// remember keeps what is right. That is as much as there are users, but for
// bcrypt, which does not look beyond 72 bytes: those who know a password can
// spell it in many ways.
func (a *basicAuth) remember(mac [sha256.Size]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	right := map[[sha256.Size]byte]bool{mac: true}
	if known := *a.right.Load(); len(known) < maxRemembered {
		maps.Copy(right, known)
	}
	a.right.Store(&right)
}

// ErrPasswordLong says that bcrypt would not look at all of a password.
var ErrPasswordLong = errors.New("the password has more than 72 bytes")

// HashPassword is the hash of a password for BasicAuth's users.
func HashPassword(password string, cost int) (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if errors.Is(err, bcrypt.ErrPasswordTooLong) {
		return "", ErrPasswordLong
	}
	return string(hash), err
}
