package tls

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap/zapcore"
)

// asked are the times at which a CA was asked.
type asked struct {
	mu    sync.Mutex
	times []time.Time
}

func (a *asked) add() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times = append(a.times, time.Now())
	return len(a.times)
}

func (a *asked) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.times)
}

// most is how many of them are within d.
func (a *asked) most(d time.Duration) (most int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, from := range a.times {
		n := 0
		for _, at := range a.times[i:] {
			if at.Sub(from) < d {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// fails is a CA that finds nobody at the name, by either challenge.
func fails(ear *ear) error {
	for range 2 {
		ear.Write(zapcore.Entry{Level: zapcore.ErrorLevel, Message: "challenge failed"}, nil)
	}
	return fmt.Errorf("solving challenge: %w", acme.Problem{Type: acme.ProblemTypeConnection, Detail: "connection refused"})
}

func TestANameThatIsNeverProvedStaysBelowTheLimitOfFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &asked{}
		c, stop := runningUntil(t, Options{HTTPPort: func() int { return 80 }, HTTPSPort: func() int { return 443 }}, func(c *Certs) {
			c.directories = map[string]string{LetsEncrypt: "https://ca.example.com/dir"} // without a staging side
			c.issue = func(_ string, _ *x509.CertificateRequest, ear *ear) (*certmagic.IssuedCertificate, error) {
				a.add()
				return nil, fails(ear)
			}
		})
		want := Want{Config: Config{Issuer: LetsEncrypt}, Names: []string{"never.example.com"}}
		c.Want(want)
		settle(t, c)
		// Somebody tries all the time to help, for a day.
		for range 24 * 60 / 5 {
			time.Sleep(5 * time.Minute)
			c.Want(want)
			if err := c.Renew(t.Context(), "never.example.com"); err == nil {
				t.Fatal("a certificate out of nothing")
			}
		}
		if most := a.most(time.Hour); 2*most > failedChallenges.most || most == 0 {
			t.Errorf("%d orders within an hour, of which each fails twice", most)
		}
		if n := a.count(); n < 24 {
			t.Errorf("only %d attempts in a day", n)
		}
		if s := status(c, "never.example.com"); s.State != Failing || !strings.Contains(s.Error, "connection refused") || s.Failures != uint64(a.count()) {
			t.Errorf("%d attempts, status: %+v", a.count(), s)
		}
		stop()
		time.Sleep(time.Minute) // certmagic's locks are let go of
	})
}

func TestACertificateThatIsSoonReplacedIsNotReplacedForEver(t *testing.T) {
	t.Parallel()
	l := &limits{}
	synctest.Test(t, func(t *testing.T) {
		for range sameCertificates.most {
			if _, err := l.admit(LetsEncrypt, "same.example.com", true, 2); err != nil {
				t.Fatal(err)
			}
			l.note(LetsEncrypt, "same.example.com", true, nil, 0, 0)
			time.Sleep(time.Hour)
		}
		until, err := l.admit(LetsEncrypt, "same.example.com", true, 2)
		if err == nil || !strings.Contains(err.Error(), "clock") || time.Until(until) != (7*24-5)*time.Hour {
			t.Errorf("until %v: %v", until, err)
		}
		// Another name, and another CA, are not concerned.
		for _, ask := range []func() (time.Time, error){
			func() (time.Time, error) { return l.admit(LetsEncrypt, "other.example.com", true, 2) },
			func() (time.Time, error) { return l.admit(LetsEncrypt, "same.example.com", false, 2) },
		} {
			if until, err := ask(); err != nil {
				t.Errorf("until %v: %v", until, err)
			}
		}
		time.Sleep(time.Until(until))
		if _, err := l.admit(LetsEncrypt, "same.example.com", true, 2); err != nil {
			t.Error(err)
		}
	})
}

func TestFailuresBeforeACertificateCountAsWell(t *testing.T) {
	t.Parallel()
	l := &limits{}
	l.note(LetsEncrypt, "late.example.com", true, errors.New("nobody there"), 4, 0)
	l.note(LetsEncrypt, "late.example.com", true, nil, 0, 0)
	if until, err := l.admit(LetsEncrypt, "late.example.com", true, 2); err == nil || !strings.Contains(err.Error(), "failed challenges") || until.IsZero() {
		t.Errorf("asked at once: %v, %v", until, err)
	}
	if _, err := l.admit(LetsEncrypt, "late.example.com", true, 1); err != nil {
		t.Error(err)
	}
}

func TestWhatIsKnownOfNamesIsForgottenWhenNoLimitAsksForIt(t *testing.T) {
	t.Parallel()
	l := &limits{}
	synctest.Test(t, func(t *testing.T) {
		name := func(n int) string { return fmt.Sprintf("%d.example.com", n) }
		most, n := 0, 0
		for hour := range 30 * 24 { // 60 an hour, of which most fail
			for range 60 {
				n++
				l.note(LetsEncrypt, name(n), true, errors.New("nobody there"), 2, 0)
				most = max(most, len(l.names))
			}
			l.note(LetsEncrypt, fmt.Sprintf("good-%d.example.com", hour), true, nil, 0, 0)
			time.Sleep(time.Hour)
		}
		if most > 4*fewNames {
			t.Fatalf("%d of %d names are kept", most, n)
		}
		// What counts is kept.
		l.note("ca", "waits.example.com", false, errors.New("later"), 0, longest)
		for range sameCertificates.most {
			l.note(LetsEncrypt, "same.example.com", true, nil, 0, 0)
		}
		for l.names[[2]string{LetsEncrypt, name(n)}] != nil {
			time.Sleep(time.Hour)
			for range fewNames {
				l.note(LetsEncrypt, fmt.Sprint(len(l.names)), true, errors.New("nobody there"), 2, 0)
			}
		}
		if _, err := l.admit("ca", "waits.example.com", false, 1); err == nil {
			t.Error("what the CA said is forgotten")
		}
		if _, err := l.admit(LetsEncrypt, "same.example.com", true, 1); err == nil {
			t.Error("certificates of this week are forgotten")
		}
	})
}

func TestOrdersOfAnAccountStayBelowItsLimit(t *testing.T) {
	t.Parallel()
	l := &limits{}
	synctest.Test(t, func(t *testing.T) {
		for n := range newOrders.most {
			if until, err := l.admit(LetsEncrypt, fmt.Sprint(n), true, 1); err != nil {
				t.Fatalf("the %dth order is held until %v: %v", n, until, err)
			}
			l.note(LetsEncrypt, fmt.Sprint(n), true, nil, 0, 0)
			time.Sleep(time.Second)
		}
		until, err := l.admit(LetsEncrypt, "next", true, 1)
		if err == nil || time.Until(until) != 3*time.Hour-300*time.Second {
			t.Errorf("until %v: %v", until, err)
		}
		time.Sleep(time.Until(until))
		if _, err := l.admit(LetsEncrypt, "next", true, 1); err != nil {
			t.Error(err)
		}
	})
}

func TestACAIsAskedAgainWhenItSays(t *testing.T) {
	t.Parallel()
	const name = "after.example.com"
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	ca.limited.Store(true)
	ca.after.Store(7200)
	want := Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{name}}
	b.Want(want)
	failing(t, b, name, "too many certificates")
	if s := status(b.Certs, name); time.Until(s.Retry) < 110*time.Minute || time.Until(s.Retry) > 140*time.Minute {
		t.Errorf("the next attempt is at %v", s.Retry)
	}
	// Neither a person nor another config for something else gets it asked sooner.
	b.mu.Lock()
	b.entries[name].tried = time.Now().Add(-2 * gap)
	b.mu.Unlock()
	var failure *Failure
	if err := b.Renew(t.Context(), name); !errors.Is(err, ErrSoon) || !errors.As(err, &failure) {
		t.Errorf("renewed: %v", err)
	}
	b.Want(want)
	settle(t, b.Certs)
	if n := ca.refused.Load(); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
	// What it says is good for the certificate that it was said of only.
	ca.limited.Store(false)
	want.Names = append(want.Names, "other."+name)
	b.Want(want)
	settle(t, b.Certs)
	b.valid(t, "other."+name)
}

func TestWhenACAWantsToBeAskedAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "99999999999999999999": 0,
		"Mon, 23 Nov 2026 13:00:00 GMT": time.Hour, "Mon, 23 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	l := &limits{}
	if until := l.note("ca", "name", false, errors.New("no"), 0, 1000*24*time.Hour); time.Until(until) > longest {
		t.Errorf("believed until %v", until)
	}
	if _, err := l.admit("ca", "name", false, 1); err == nil {
		t.Error("asked at once")
	}
}
