package tls

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// happened collects events.
type happened struct {
	mu  sync.Mutex
	all []Event
}

func (h *happened) tell(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, e)
}

// kinds of the events about name, in order.
func (h *happened) kinds(name string) (kinds []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.all {
		if e.Name == name {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func TestWhatBecomesOfCertificatesIsToldAndCounted(t *testing.T) {
	t.Parallel()
	h, log := &happened{}, &testLog{t: t}
	b := newBox(t, Options{Tell: h.tell, Log: slogTo(log)}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	ca.limited.Store(true)
	const name = "told.example.com"
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{name}})
	eventually(t, "three attempts have failed", func() bool { return status(b.Certs, name).Failures >= 3 })
	if n := strings.Count(log.String(), `level=WARN msg="cannot get a certificate"`); n != 1 {
		t.Errorf("the same failure is logged %d times", n)
	}
	ca.limited.Store(false)
	b.valid(t, name)
	if err := b.Renew(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	s := status(b.Certs, name)
	if s.Orders != s.Failures+2 || s.Tried.IsZero() || s.Problem != "" {
		t.Errorf("status: %+v", s)
	}
	kinds := h.kinds(name)
	if n := len(kinds); n != int(s.Orders) || !slices.Equal(kinds[n-3:], []string{EventFailed, EventObtained, EventRenewed}) {
		t.Errorf("events %q, %d attempts", kinds, s.Orders)
	}
	if reason := h.all[0].Reason; h.all[0].Issuer != ca.directory || !strings.Contains(reason, "too many certificates already issued") {
		t.Errorf("the first event: %+v", h.all[0])
	}
}

func TestACertificateThatEndsAndIsNotRenewedIsToldOnce(t *testing.T) {
	h, log := &happened{}, &testLog{t: t}
	c, _ := runningUntil(t, Options{Tell: h.tell, Log: slogTo(log)}, nil)
	c.Want(Want{Names: []string{"ends.localhost", "lives.localhost"}})
	settle(t, c)
	c.look()
	if got := h.kinds("ends.localhost"); !slices.Equal(got, []string{EventObtained}) {
		t.Errorf("at first: %q", got)
	}
	if err := os.RemoveAll(filepath.Join(c.o.Dir, "certificates")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.o.Dir, "certificates"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if c.Renew(t.Context(), "ends.localhost") == nil {
		t.Fatal("renewed without storage")
	}
	c.look()
	c.look()
	if got := h.kinds("ends.localhost"); !slices.Equal(got, []string{EventObtained, EventFailed, EventExpiring}) {
		t.Errorf("without storage: %q", got)
	}
	if got := h.kinds("lives.localhost"); !slices.Equal(got, []string{EventObtained}) {
		t.Errorf("the other: %q", got)
	}
	if n := strings.Count(log.String(), "certificate expires soon and is not renewed"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	s := status(c, "ends.localhost")
	if !strings.HasPrefix(s.Problem, "the certificate for ends.localhost expires in 6 days, on ") || !strings.HasSuffix(s.Problem, ": roost tls renew ends.localhost") {
		t.Errorf("problem: %s", s.Problem)
	}
	settle(t, c) // what cannot be renewed yet holds up no other change
}

func TestPeopleAreTold14DaysBefore(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	certificate := func(left, life time.Duration, err, hint string) Certificate {
		return Certificate{Name: "a.example", NotBefore: now.Add(left - life), Expires: now.Add(left), Renews: now.Add(left - life/3), Error: err, Hint: hint}
	}
	for what, test := range map[string]struct {
		c    Certificate
		want string
	}{
		"young":                 {certificate(80*day, 90*day, "", ""), ""},
		"due":                   {certificate(29*day, 90*day, "", ""), ""},
		"not renewed":           {certificate(13*day+time.Hour, 90*day, "", ""), "the certificate for a.example expires in 13 days, on 2026-12-06, and has not been renewed, though it was due on 2026-11-06: try now and see what the CA says: roost tls renew a.example"},
		"of a week":             {certificate(5*day, 7*day, "", ""), ""},
		"of a week, due":        {certificate(2*day, 7*day, "", ""), ""},
		"of a week, at the end": {certificate(20*time.Hour, 7*day, "", ""), "the certificate for a.example expires in 20 h, on 2026-11-24, and has not been renewed, though it was due on 2026-11-22: try now and see what the CA says: roost tls renew a.example"},
		"failing, in time":      {certificate(20*day, 90*day, "cannot renew: no", "do"), "certificate for a.example: cannot renew: no: do"},
		"failing":               {certificate(13*day, 90*day, "cannot renew: no", "do"), "the certificate for a.example expires in 13 days, on 2026-12-06: cannot renew: no: do"},
		"expired":               {certificate(-day, 90*day, "cannot renew: no", "do"), "the certificate for a.example has expired, on 2026-11-22: cannot renew: no: do"},
		"a file":                {Certificate{Name: "a.example", NotBefore: now.Add(-80 * day), Expires: now.Add(10 * day)}, "the certificate for a.example expires in 10 days, on 2026-12-03, and nothing here renews it: write its successor into the same files; it is served as soon as it is there"},
		"none":                  {Certificate{Name: "a.example", Error: "no", Hint: "do"}, "no certificate for a.example: no: do"},
		"not yet":               {certificate(91*day, 90*day, "", ""), "the certificate for a.example is not valid before 2026-11-24 12:00:00, and the clock of this box says 2026-11-23 12:00:00: see that it is right"},
		"none yet":              {Certificate{Name: "a.example"}, ""},
	} {
		if got := test.c.problem(now); got != test.want {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
}
