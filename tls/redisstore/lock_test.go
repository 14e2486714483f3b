package redisstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"roost/internal/testredis"
)

const (
	lockName = "issue_cert_www.example.com"
	guarded  = "certificates/ca/www.example.com/www.example.com.crt"
)

// holding makes this process one that holds a lock at a server until it is killed.
const holding = "ROOST_TEST_HOLDS_A_LOCK_AT"

func init() {
	url := os.Getenv(holding)
	if url == "" {
		return
	}
	k, err := NewKey([]byte(strings.Repeat("k", 32)))
	if err == nil {
		var s *Redis
		if s, err = New(Options{URL: url, Key: k, Lease: time.Second}); err == nil {
			err = s.Lock(context.Background(), lockName)
		}
	}
	fmt.Println("held", err)
	select {}
}

// stall has the holder of a lock not move its end any more, as one that is paused.
func (s *Redis) stall(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[name].stop()
}

func TestOneHasALockAtATime(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	boxes := []*Redis{box(t, Options{URL: server.URL}), box(t, Options{URL: server.URL})}
	var inside, most atomic.Int32
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			s := boxes[n%2] // four of each process, too
			for range 5 {
				if err := s.Lock(t.Context(), lockName); err != nil {
					t.Error(err)
					return
				}
				most.Store(max(most.Load(), inside.Add(1)))
				inside.Add(-1)
				if err := s.Unlock(t.Context(), lockName); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d at a time", most.Load())
	}
	if left := server.Keys(t, "roost:l*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := boxes[0].Unlock(t.Context(), lockName); err != nil {
		t.Errorf("a lock that is not held: %v", err)
	}
}

func TestAWaitForALockEndsWithItsContext(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	a, b := box(t, Options{URL: server.URL}), box(t, Options{URL: server.URL})
	if err := a.Lock(t.Context(), lockName); err != nil {
		t.Fatal(err)
	}
	if ok, err := b.TryLock(t.Context(), lockName); ok || err != nil {
		t.Errorf("tried: %v, %v", ok, err)
	}
	if ok, err := a.TryLock(t.Context(), lockName); ok || err != nil {
		t.Errorf("tried by its holder: %v, %v", ok, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := b.Lock(ctx, lockName); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waited: %v", err)
	}
	if err := a.Unlock(t.Context(), lockName); err != nil {
		t.Fatal(err)
	}
	if ok, err := b.TryLock(t.Context(), lockName); !ok || err != nil {
		t.Errorf("freed: %v, %v", ok, err)
	}
	if err := b.Unlock(t.Context(), lockName); err != nil {
		t.Error(err)
	}
}

func TestALockIsKeptForAsLongAsItsHolderLives(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	a, b := box(t, Options{URL: server.URL, Lease: 3 * time.Second}), box(t, Options{URL: server.URL})
	if err := a.Lock(t.Context(), lockName); err != nil {
		t.Fatal(err)
	}
	// Its end has been moved when more is left than before.
	left := func() int64 { return server.Do(t, "PTTL", "roost:lock:"+lockName).(int64) }
	first := left()
	for now := first; now <= first; {
		before := now
		eventually(t, "time goes by", func() bool { now = left(); return now != before })
		if now > before {
			break
		}
		if now < 0 {
			t.Fatal("the lock has ended")
		}
	}
	if ok, _ := b.TryLock(t.Context(), lockName); ok {
		t.Error("another has got it")
	}
	if err := a.Unlock(t.Context(), lockName); err != nil {
		t.Fatal(err)
	}
}

func TestWhoHasLostALockCannotWriteOverTheNextHolder(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	old, next := box(t, Options{URL: server.URL, Lease: 200 * time.Millisecond}), box(t, Options{URL: server.URL})
	ctx := t.Context()
	if err := old.Lock(ctx, lockName); err != nil {
		t.Fatal(err)
	}
	if err := old.Store(ctx, guarded, []byte("first")); err != nil {
		t.Errorf("its holder: %v", err)
	}
	if err := next.Store(ctx, guarded, []byte("x")); !errors.Is(err, ErrFenced) {
		t.Errorf("one without the lock, while another has it: %v", err)
	}
	old.stall(lockName)
	eventually(t, "its time is over", func() bool { return len(server.Keys(t, "roost:lock:*")) == 0 })
	if err := old.Store(ctx, guarded, []byte("late, and alone")); err != nil {
		t.Errorf("nobody else has got it, and what was done is lost: %v", err)
	}
	if err := next.Lock(ctx, lockName); err != nil {
		t.Fatal(err)
	}
	for _, freed := range []bool{false, true} {
		if err := next.Store(ctx, guarded, []byte("new")); err != nil {
			t.Errorf("the next holder: %v", err)
		}
		if freed {
			if err := next.Unlock(ctx, lockName); err != nil {
				t.Fatal(err)
			}
		}
		for what, err := range map[string]error{"store": old.Store(ctx, guarded, []byte("stale")), "delete": old.Delete(ctx, guarded)} {
			if !errors.Is(err, ErrFenced) {
				t.Errorf("%s by the one before (freed: %v): %v", what, freed, err)
			}
		}
		if err := old.Store(ctx, "certificates/ca/other.example/other.example.crt", nil); err != nil {
			t.Errorf("another name: %v", err)
		}
	}
	if got, err := next.Load(ctx, guarded); string(got) != "new" {
		t.Errorf("stored: %q, %v", got, err)
	}
	// The end of the one before takes nothing away from the one after it.
	if err := next.Lock(ctx, lockName); err != nil {
		t.Fatal(err)
	}
	if err := old.Unlock(ctx, lockName); err != nil {
		t.Errorf("the end of the one before: %v", err)
	}
	if ok, _ := old.TryLock(ctx, lockName); ok {
		t.Error("it has freed another's")
	}
	if err := next.Unlock(ctx, lockName); err != nil {
		t.Fatal(err)
	}
}

func TestALockOfAKilledProcessEnds(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), holding+"="+server.URL)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill := func() {
		if !killed {
			child.Process.Kill()
			child.Wait()
		}
		killed = true
	}
	defer kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held <nil>\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	s := box(t, Options{URL: server.URL})
	if ok, err := s.TryLock(t.Context(), lockName); ok || err != nil {
		t.Fatalf("while it lives: %v, %v", ok, err)
	}
	kill()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Lock(ctx, lockName); err != nil {
		t.Error(err)
	}
	s.Unlock(t.Context(), lockName)
}

func TestAServerThatForgetsItsLocksLetsOnlyTheLaterHolderWrite(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	a, b := box(t, Options{URL: server.URL, Lease: 300 * time.Millisecond}), box(t, Options{URL: server.URL})
	if err := a.Lock(t.Context(), lockName); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	server.Start(t)
	eventually(t, "b has the lock", func() bool { return b.Lock(t.Context(), lockName) == nil })
	eventually(t, "a finds the server", func() bool {
		return errors.Is(a.Store(t.Context(), guarded, nil), ErrFenced)
	})
	if err := b.Store(t.Context(), guarded, []byte("b's")); err != nil {
		t.Error(err)
	}
	for _, s := range []*Redis{a, b} {
		if err := s.Unlock(t.Context(), lockName); err != nil {
			t.Error(err)
		}
	}
}
