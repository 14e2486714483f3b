package tls

import (
	"crypto/tls"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// resumes reports whether a handshake took up a session that config's cache has.
func resumes(t *testing.T, address string, config *tls.Config) bool {
	t.Helper()
	state, err := dial(address, config)
	if err != nil {
		t.Fatal(err)
	}
	return state.DidResume
}

func TestSessionsAreResumedAfterARestart(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			o := Options{Dir: t.TempDir()}
			sessions := tls.NewLRUClientSessionCache(8)
			var resumed []bool
			for range 2 {
				c, stop := runningUntil(t, o, nil)
				c.Want(Want{Names: []string{"localhost"}})
				settle(t, c)
				config := client(t, c, "localhost")
				config.ClientSessionCache, config.MaxVersion = sessions, version
				address := serving(t, c)
				resumed = append(resumed, resumes(t, address, config), resumes(t, address, config))
				stop()
			}
			if want := [4]bool{false, true, true, true}; [4]bool(resumed) != want {
				t.Errorf("resumed: %v, want %v", resumed, want)
			}
			info, err := os.Stat(filepath.Join(o.Dir, "tickets.json"))
			if err != nil {
				t.Fatal(err)
			}
			if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("the keys are readable by others: %v", info.Mode())
			}
		})
	}
}

func TestATicketIsOfOneNameAlone(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		c := running(t, Options{}, nil)
		c.Want(Want{Names: []string{"a.localhost", "b.localhost"}})
		settle(t, c)
		address := serving(t, c)
		sessions := oneCache{tls.NewLRUClientSessionCache(1)}
		for _, step := range []struct {
			name    string
			resumes bool
		}{{"a.localhost", false}, {"A.localhost", true}, {"b.localhost", false}, {"b.localhost", true}, {"a.localhost", false}} {
			config := client(t, c, step.name)
			config.InsecureSkipVerify = true // the client would not offer it for another name
			config.ClientSessionCache, config.MaxVersion = sessions, version
			if got := resumes(t, address, config); got != step.resumes {
				t.Errorf("%s: %s resumed: %v", tls.VersionName(version), step.name, got)
			}
		}
	}
}

// oneCache offers the last ticket whatever the name is.
type oneCache struct{ tls.ClientSessionCache }

func (c oneCache) Get(string) (*tls.ClientSessionState, bool)  { return c.ClientSessionCache.Get("") }
func (c oneCache) Put(_ string, state *tls.ClientSessionState) { c.ClientSessionCache.Put("", state) }

func TestKeysOfTicketsTurn(t *testing.T) {
	c, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	k := c.tickets
	first := k.keys[0]
	now := first.Made
	for i, want := range []struct {
		hours, keys int
		first       bool // is still there
	}{{1, 1, true}, {12, 2, true}, {23, 2, true}, {24, 3, true}, {36, 4, true}, {47, 4, true}, {48, 4, false}, {500, 1, false}} {
		k.turn(now.Add(time.Duration(want.hours) * time.Hour))
		last := k.keys[len(k.keys)-1]
		if len(k.keys) != want.keys || last.Made.Equal(first.Made) != want.first {
			t.Errorf("step %d, after %d h: %d keys, the last of %v", i, want.hours, len(k.keys), last.Made.Sub(now))
		}
		text, err := os.ReadFile(k.file)
		if err != nil {
			t.Fatal(err)
		}
		var stored []ticketKey
		if err := json.Unmarshal(text, &stored); err != nil || len(stored) != len(k.keys) || string(stored[0].Key) != string(k.keys[0].Key) {
			t.Errorf("step %d: stored %s, %v", i, text, err)
		}
	}
	// The clock was a year ahead when the last was made.
	k.turn(now)
	if len(k.keys) != 1 || !k.keys[0].Made.Equal(now) {
		t.Errorf("after the clock was set right: %d keys, of %v", len(k.keys), k.keys[0].Made)
	}
}

func TestASessionLivesThroughANewKeyAndEndsWithItsOwn(t *testing.T) {
	c := running(t, Options{}, nil)
	c.Want(Want{Names: []string{"localhost"}})
	settle(t, c)
	address := serving(t, c)
	config := client(t, c, "localhost")
	config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	resumes(t, address, config)
	age := func(by time.Duration) {
		c.tickets.mu.Lock()
		for i := range c.tickets.keys {
			c.tickets.keys[i].Made = c.tickets.keys[i].Made.Add(-by)
		}
		c.tickets.mu.Unlock()
		c.tickets.turn(time.Now())
	}
	age(ticketTurn)
	if !resumes(t, address, config) {
		t.Error("not resumed after the key has turned")
	}
	age(ticketKeys * ticketTurn)
	if resumes(t, address, config) {
		t.Error("resumed by a key that is too old")
	}
}

func TestKeysOfTicketsThatCannotBeReadOrStoredCostNothingElse(t *testing.T) {
	for name, spoil := range map[string]func(file string) error{
		"nonsense": func(file string) error { return os.WriteFile(file, []byte("{"), 0o600) },
		"short": func(file string) error {
			return os.WriteFile(file, []byte(`[{"made":"2026-01-01T00:00:00Z","key":"AAAA"}]`), 0o600)
		},
		"folder": func(file string) error { return os.MkdirAll(filepath.Join(file, "x"), 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			log := &testLog{t: t}
			o := Options{Dir: t.TempDir(), Log: slogTo(log)}
			file := filepath.Join(o.Dir, "tickets.json")
			if err := spoil(file); err != nil {
				t.Fatal(err)
			}
			c := running(t, o, nil)
			c.Want(Want{Names: []string{"localhost"}})
			settle(t, c)
			address := serving(t, c)
			config := client(t, c, "localhost")
			config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
			if resumes(t, address, config) || !resumes(t, address, config) {
				t.Error("sessions are not resumed")
			}
			if name == "folder" {
				if n := strings.Count(log.String(), "cannot store the keys of session tickets"); n != 1 {
					t.Errorf("said %d times that they cannot be stored", n)
				}
				return
			}
			if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), `[{"made":`) {
				t.Errorf("stored: %s, %v", text, err)
			}
		})
	}
}
