package redisstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"roost/internal/testredis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func key(t *testing.T, letter string) Key {
	t.Helper()
	k, err := NewKey([]byte(strings.Repeat(letter, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// box is a Redis as one box has it, running until the test ends.
func box(t *testing.T, o Options) *Redis {
	t.Helper()
	if o.Key == (Key{}) {
		o.Key = key(t, "k")
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		s.Close()
	})
	return s
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after 30 s: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestWhatOneBoxStoresAnotherLoads(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	a, b := box(t, Options{URL: server.URL}), box(t, Options{URL: server.URL})
	ctx := t.Context()
	for _, key := range []string{"certificates/ca/a.example/a.example.crt", "certificates/ca/a.example/a.example.key", "certificates/ca/b.example/b.example.crt", "certificatesx/y", "top"} {
		if err := a.Store(ctx, key, []byte("value of "+key)); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Load(ctx, key); err != nil || string(got) != "value of "+key {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
	for _, list := range []struct {
		dir       string
		recursive bool
		want      []string
	}{
		{"certificates", false, []string{"certificates/ca"}},
		{"certificates/ca", false, []string{"certificates/ca/a.example", "certificates/ca/b.example"}},
		{"certificates/ca/a.example", true, []string{"certificates/ca/a.example/a.example.crt", "certificates/ca/a.example/a.example.key"}},
		{"", false, []string{"certificates", "certificatesx", "top"}},
	} {
		if got, err := b.List(ctx, list.dir, list.recursive); err != nil || !slices.Equal(got, list.want) {
			t.Errorf("list %q: %v, %v", list.dir, got, err)
		}
	}
	if info, err := b.Stat(ctx, "top"); err != nil || !info.IsTerminal || info.Size != int64(len("value of top")) || time.Since(info.Modified).Abs() > time.Hour {
		t.Errorf("stat: %+v, %v", info, err)
	}
	if info, err := b.Stat(ctx, "certificates/ca"); err != nil || info.IsTerminal {
		t.Errorf("stat of a folder: %+v, %v", info, err)
	}
	keys, now, err := b.Changed(ctx, 0)
	if err != nil || len(keys) != 5 || now != 5 {
		t.Errorf("changed: %v, %d, %v", keys, now, err)
	}
	if err := a.Store(ctx, "top", []byte("again")); err != nil {
		t.Fatal(err)
	}
	if keys, _, err := b.Changed(ctx, now); err != nil || !slices.Equal(keys, []string{"top"}) {
		t.Errorf("changed since: %v, %v", keys, err)
	}
	if !b.Exists(ctx, "top") || !b.Exists(ctx, "certificates/ca") || b.Exists(ctx, "certificates/c") {
		t.Error("what exists is not known")
	}
	if err := b.Delete(ctx, "certificates"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"certificates/ca/a.example/a.example.crt", "certificates"} {
		if _, err := a.Load(ctx, key); !errors.Is(err, fs.ErrNotExist) || a.Exists(ctx, key) {
			t.Errorf("%s is still there: %v", key, err)
		}
		if _, err := a.Stat(ctx, key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat of %s: %v", key, err)
		}
		if _, err := a.List(ctx, key, true); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("list of %s: %v", key, err)
		}
	}
	if err := a.Delete(ctx, "certificates"); err != nil {
		t.Errorf("what is not there: %v", err)
	}
	if got, err := a.Load(ctx, "certificatesx/y"); err != nil {
		t.Errorf("what only begins alike: %q, %v", got, err)
	}
	// A server that has forgotten everything begins to count anew.
	server.Do(t, "FLUSHALL")
	if err := a.Store(ctx, "new", nil); err != nil {
		t.Fatal(err)
	}
	if keys, now, err := b.Changed(ctx, 6); err != nil || !slices.Equal(keys, []string{"new"}) || now != 1 {
		t.Errorf("changed: %v, %d, %v", keys, now, err)
	}
}

func TestAnIndexThatLeadsOutOfTheStorageIsNotFollowed(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s := box(t, Options{URL: server.URL})
	good := []string{"certificates/ca/*.a[b]?{c}/wildcard_.crt", "certificates/ca/..a/b"}
	for _, key := range good {
		if err := s.Store(t.Context(), key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"certificates/../../up", "certificates/ca/..", "certificates/ca//x", "certificates/./x", "certificates/"} {
		server.Do(t, "ZADD", "roost:index", "0", key)
	}
	slices.Sort(good)
	if got, err := s.List(t.Context(), "certificates", true); err != nil || !slices.Equal(got, good) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := s.List(t.Context(), "certificates/ca/*.a[b]?{c}", true); err != nil || len(got) != 1 || got[0] != good[0] {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAStorageThatIsLeftIsClosedWhenWhatItsLocksGuardIsStored(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s := box(t, Options{URL: server.URL})
	const name = "issue_cert_a"
	if err := s.Lock(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	s.Retire()
	if err := s.Store(t.Context(), "certificates/ca/a/a.crt", []byte("x")); err != nil {
		t.Error(err)
	}
	if err := s.Unlock(t.Context(), name); err != nil || server.Do(t, "EXISTS", "roost:lock:"+name) != int64(0) {
		t.Errorf("not freed: %v", err)
	}
	if _, err := s.Load(t.Context(), "certificates/ca/a/a.crt"); err == nil {
		t.Error("not closed")
	}
	eventually(t, "its connections are closed", func() bool {
		return strings.Count(server.Do(t, "CLIENT", "LIST", "TYPE", "normal").(string), "\n") == 1
	})
}

func TestValuesCannotBeReadChangedOrSwapped(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s := box(t, Options{URL: server.URL})
	for _, name := range []string{"a", "b"} {
		if err := s.Store(t.Context(), name, []byte("secret of "+name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range server.Keys(t, "roost:value:*") {
		if raw := server.Do(t, "GET", name).(string); strings.Contains(raw, "secret") {
			t.Errorf("%s can be read: %q", name, raw)
		}
	}
	raw := server.Do(t, "GET", "roost:value:a").(string)
	for what, tampered := range map[string]string{
		"another's":       server.Do(t, "GET", "roost:value:b").(string),
		"one bit":         raw[:len(raw)-1] + string([]byte{raw[len(raw)-1] ^ 1}),
		"another time":    raw[:12] + "x" + raw[13:],
		"another version": "\x02" + raw[1:],
		"short":           raw[:20],
		"empty":           "",
	} {
		server.Do(t, "SET", "roost:value:a", tampered)
		if got, err := s.Load(t.Context(), "a"); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	if s.Trouble() != nil {
		t.Errorf("the server is well, and not: %v", s.Trouble())
	}
}

func TestAnotherKeyIsToldAndNothingIsReadOrWritten(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	if err := box(t, Options{URL: server.URL}).Store(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	other := box(t, Options{URL: server.URL, Key: key(t, "o")})
	_, load := other.Load(t.Context(), "a")
	for what, err := range map[string]error{
		"load": load, "store": other.Store(t.Context(), "b", nil), "lock": other.Lock(t.Context(), "c"), "delete": other.Delete(t.Context(), "a"),
	} {
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Text, "another key") || !strings.Contains(e.Hint, "storage_key_file") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !other.Exists(t.Context(), "nothing") {
		t.Error("what cannot be seen does not exist: something would be ordered")
	}
	// Also where the note of the key is gone.
	server.Do(t, "DEL", "roost:key")
	if _, err := other.Load(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("without the note: %v", err)
	}
	// And when it has got the right one.
	server.Do(t, "DEL", "roost:key")
	other.Rekey(key(t, "k"))
	if got, err := other.Load(t.Context(), "a"); string(got) != "x" || err != nil {
		t.Errorf("with the right key: %q, %v", got, err)
	}
}

func TestAKeyIsReadFromAFileThatIsNobodyElses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	for text, want := range map[string]string{
		"a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n": "",
		"a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s":    "",
		strings.Repeat("6b", 32):                         "",
		"a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr":       "want 32 bytes, not 30",
		"correct horse battery staple":                   "neither base64 nor hex",
		"":                                               "want 32 bytes, not 0",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := ReadKey(file)
		if want == "" && (err != nil || !k.Equal(key(t, "k"))) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(file, 0o640); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadKey(file); err == nil || !strings.Contains(err.Error(), "chmod 600 "+file) {
			t.Errorf("readable by others: %v", err)
		}
	}
	if _, err := ReadKey(file + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestWhatIsWrongWithTheServerIsToldInWordsWithAHint(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t, "--requirepass", "right")
	secret := func(password string) func() (string, error) {
		return func() (string, error) { return password, nil }
	}
	open := testredis.Start(t)
	replica := testredis.Start(t, "--replicaof", "127.0.0.1", "1")
	full := testredis.Start(t, "--maxmemory", "1", "--maxmemory-policy", "noeviction")
	open.Do(t, "ACL", "SETUSER", "limited", "on", ">pw", "~other:*", "+get", "+eval", "+evalsha")
	for what, c := range map[string]struct {
		o          Options
		text, hint string
	}{
		"no password":    {Options{URL: server.URL}, "wants a password", "storage_password_file"},
		"wrong password": {Options{URL: server.URL, Password: secret("wrong")}, "refuses the user or the password", "ACL"},
		"wrong in URL":   {Options{URL: strings.Replace(server.URL, "unix://", "unix://:wrong@", 1)}, "refuses the user or the password", "URL"},
		"unknown user":   {Options{URL: strings.Replace(open.URL, "unix://", "unix://nobody@", 1), Password: secret("x")}, "refuses the user or the password", "storage_password_file"},
		"unreadable":     {Options{URL: open.URL, Password: func() (string, error) { return "", errors.New("cannot read it") }}, "cannot read it", ""},
		"replica":        {Options{URL: replica.URL}, "replica", "primary"},
		"full":           {Options{URL: full.URL}, "is full", "noeviction"},
		"forbidden":      {Options{URL: strings.Replace(open.URL, "unix://", "unix://limited:pw@", 1)}, "does not allow", "ACL SETUSER"},
		"no such db":     {Options{URL: open.URL + "?db=9"}, "does not have the database", "smaller number"},
		"nobody":         {Options{URL: open.URL + ".none"}, "cannot be reached", "redis-server runs"},
		"unknown name":   {Options{URL: "redis://redis.invalid:6379"}, "cannot be found", "resolver"},
	} {
		s := box(t, c.o)
		err := s.Store(t.Context(), "a", []byte("x"))
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Text, c.text) || !strings.Contains(e.Hint, c.hint) || s.Trouble() == nil {
			t.Errorf("%s: %v, hint %+v", what, err, e)
		}
		if errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: taken for a value that is not there, which would be ordered: %v", what, err)
		}
		if err != nil && (strings.Contains(err.Error(), "wrong@") || strings.Contains(err.Error(), "pw@")) {
			t.Errorf("%s: the password is shown: %v", what, err)
		}
	}
	if err := box(t, Options{URL: server.URL, Password: secret("right")}).Store(t.Context(), "a", nil); err != nil {
		t.Errorf("the right password: %v", err)
	}
	if err := box(t, Options{URL: strings.Replace(server.URL, "unix://", "unix://:right@", 1)}).Store(t.Context(), "a", nil); err != nil {
		t.Errorf("the right password in the URL: %v", err)
	}
}

func TestTheRightsThatTheManualNamesAreEnough(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/tls.md")
	if err != nil {
		t.Fatal(err)
	}
	_, command, ok := strings.Cut(string(text), "`ACL SETUSER ")
	command, _, _ = strings.Cut(command, "`")
	if !ok {
		t.Fatal("docs/tls.md names none")
	}
	server := testredis.Start(t)
	args := []any{"ACL", "SETUSER"}
	for _, word := range strings.Fields(command) {
		args = append(args, word)
	}
	server.Do(t, args...)
	s := box(t, Options{URL: strings.Replace(server.URL, "unix://", "unix://roost:password@", 1)})
	if err := s.Lock(t.Context(), "issue_cert_a"); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"store": s.Store(t.Context(), "certificates/ca/a/a.crt", []byte("x")), "delete": s.Delete(t.Context(), "certificates"),
		"unlock": s.Unlock(t.Context(), "issue_cert_a"),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, _, err := s.Changed(t.Context(), 0); err != nil {
		t.Errorf("changed: %v", err)
	}
	eventually(t, "there is news", func() bool { // what was stored before it listened is none
		s.Store(t.Context(), Tickets, nil)
		select {
		case <-s.News:
			return true
		default:
			return false
		}
	})
}

func TestAServerThatDoesNotAnswerHoldsUpForABoundedTimeAndIsNotedWhenItDoesAgain(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	if err := box(t, Options{URL: server.URL}).Store(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	s := box(t, Options{URL: server.URL, Patience: 300 * time.Millisecond})
	const paused = 2 * time.Second
	server.Do(t, "CLIENT", "PAUSE", paused.Milliseconds(), "ALL")
	start := time.Now()
	err := s.Store(t.Context(), "a", []byte("y"))
	if e := s.Trouble(); err == nil || e == nil || !strings.Contains(e.Text, "does not answer within") {
		t.Errorf("paused: %v", err)
	}
	for n := 0; n < 1000 && time.Since(start) < rest; n++ { // those that come after do not wait as well, each
		if _, err := s.Load(t.Context(), "a"); err == nil && time.Since(start) < paused {
			t.Fatal("a paused server answered")
		}
	}
	eventually(t, "it answers again", func() bool {
		_, err := s.Load(t.Context(), "a")
		return err == nil && s.Trouble() == nil
	})
	server.Stop()
	if _, err := s.Load(t.Context(), "a"); err == nil || s.Trouble() == nil || !s.Exists(t.Context(), "a") {
		t.Errorf("stopped: %v", err)
	}
	server.Start(t)
	eventually(t, "it is back, empty", func() bool {
		_, err := s.Load(t.Context(), "a")
		return errors.Is(err, fs.ErrNotExist)
	})
	if id := server.Do(t, "GET", "roost:key"); id == nil {
		t.Error("a server that is back was not looked at")
	}
}

func TestURLsAreShownWithoutTheirPasswords(t *testing.T) {
	for url, want := range map[string]string{
		"redis://ann:secret@redis.example.com:6379/1":     "redis://ann@redis.example.com:6379/1",
		"rediss://:secret@[2001:db8::1]/0?dial_timeout=3": "rediss://@[2001:db8::1]/0",
		"unix://:secret@/run/redis.sock?db=2":             "unix://@/run/redis.sock?db=2",
		"redis://%zz:secret@x":                            "of Redis",
	} {
		if got := Redacted(url); got != want {
			t.Errorf("%s: %s", url, got)
		}
		if (CheckURL(url) == nil) != (want != "of Redis") {
			t.Errorf("%s: %v", url, CheckURL(url))
		}
	}
	for _, bad := range []string{"", "http://x", "redis://x/notanumber", "x"} {
		if CheckURL(bad) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if !HasPassword("redis://a:b@c") || HasPassword("redis://a@c") || HasPassword("redis://c") {
		t.Error("which have passwords is not known")
	}
}
