package apps

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"roost/internal/httplint"
)

// slots are instances that answer with their slot, and a pool of them.
func slots(t testing.TB, n int, sticky string) (*pool, []*endpoint) {
	var all []*endpoint
	for slot := range n {
		e := runInstance(t, answerName(fmt.Sprint(slot)))
		e.slot = slot
		all = append(all, e)
	}
	p := poolOf(all...)
	p.stick(sticky, "web")
	return p, all
}

// client is who asks: an address and perhaps cookies.
type client struct {
	address string
	cookies []string
	tls     bool
}

// asks returns who answered the client, and the cookie that came with it.
func (c client) asks(t testing.TB, p *pool) (slot string, cookie *http.Cookie) {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = c.address
	if c.tls {
		r.TLS = &tls.ConnectionState{}
	}
	for _, text := range c.cookies {
		r.Header.Add("Cookie", text)
	}
	w := httplint.Record(t, p, r)
	if w.Code != 200 {
		t.Fatalf("the answer has status %d", w.Code)
	}
	if set := w.Result().Cookies(); len(set) > 0 {
		cookie = set[0]
	}
	return w.Body.String(), cookie
}

func TestACookieLeadsAClientToItsSlotAcrossInstances(t *testing.T) {
	p, all := slots(t, 3, "cookie")
	slot, cookie := client{address: "10.0.0.1:1", tls: true}.asks(t, p)
	if cookie == nil || cookie.Name != "roost_web" || cookie.Path != "/" || !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode {
		t.Fatalf("the first answer has the cookie %+v", cookie)
	}
	if _, plain := (client{address: "10.0.0.1:1"}).asks(t, p); plain.Secure {
		t.Error("a cookie for HTTP is for HTTPS only")
	}
	back := client{address: "10.0.0.2:2", cookies: []string{"a=b; roost_web=nonsense", "roost_web=" + cookie.Value + "; c=d"}}
	same := func(what string) {
		t.Helper()
		for range 10 {
			if got, again := back.asks(t, p); got != slot || again != nil {
				t.Fatalf("%s: slot %s answers a client of slot %s, with the cookie %v", what, got, slot, again)
			}
		}
	}
	same("at once")

	// a reload: other instances in the same slots, in any order
	var next []*endpoint
	for n := range all {
		e := runInstance(t, answerName(fmt.Sprint(2-n)))
		e.slot = 2 - n
		next = append(next, e)
	}
	p.publish(next)
	same("after a reload")

	busy := all[0]
	for _, e := range next {
		if fmt.Sprint(e.slot) == slot {
			busy = e
		}
	}
	busy.word.Add(50)
	same("while its instance is the busiest")
	busy.word.Add(^uint64(49))

	// the slot goes: the client moves, and stays where it is
	busy.retire()
	moved, cookie := back.asks(t, p)
	if moved == slot || cookie == nil {
		t.Fatalf("a client of slot %s, which is draining, got slot %s and the cookie %v", slot, moved, cookie)
	}
	slot, back = moved, client{address: "10.0.0.3:3", cookies: []string{"roost_web=" + cookie.Value}}
	same("after it has moved")
}

func TestAnAddressLeadsToTheSameSlotAndOthersStayWhereTheyAreWhenOneGoes(t *testing.T) {
	p, all := slots(t, 4, "ip")
	at := map[string]string{}
	count := map[string]int{}
	for n := range 400 {
		address := fmt.Sprintf("10.0.%d.%d", n/256, n%256)
		if n%2 == 0 {
			address = fmt.Sprintf("[2001:db8:0:%x::%x]", n, n)
		}
		slot, cookie := client{address: address + ":1"}.asks(t, p)
		if cookie != nil {
			t.Fatalf("by address, and a cookie all the same: %v", cookie)
		}
		at[address] = slot
		count[slot]++
	}
	for slot, n := range count {
		if n < 60 || n > 140 {
			t.Errorf("slot %s has %d of 400 clients", slot, n)
		}
	}
	all[2].health.unwell.Store(true)
	for address, slot := range at {
		got, _ := client{address: address + ":2"}.asks(t, p)
		if got == "2" || slot != "2" && got != slot {
			t.Errorf("%s was led to slot %s, and to %s without slot 2", address, slot, got)
		}
	}
	all[2].health.unwell.Store(false)
	for address, slot := range at {
		if got, _ := (client{address: address + ":3"}).asks(t, p); got != slot {
			t.Errorf("%s was led to slot %s, and to %s when all work again", address, slot, got)
		}
	}
	one, _ := client{address: "[2001:db8::1]:1"}.asks(t, p)
	for n := range 20 {
		if got, _ := (client{address: fmt.Sprintf("[2001:db8::%x:%x]:1", n, n)}).asks(t, p); got != one {
			t.Errorf("two addresses of one client's network are led to slots %s and %s", one, got)
		}
	}
	if slot, _ := (client{address: "@"}).asks(t, p); slot == "" {
		t.Error("a client without an address got no answer")
	}
}

func TestAStickyRequestThatFailsGoesToAnotherSlot(t *testing.T) {
	for _, sticky := range []string{"cookie", "ip"} {
		p, all := slots(t, 2, sticky)
		dead := deadInstance(t)
		dead.slot = 0
		p.publish([]*endpoint{dead, all[1]})
		for n := range int32(3) {
			c := client{address: "10.0.0.1:1", cookies: []string{"roost_web=" + newStickiness("cookie", "web").token(0)}}
			slot, cookie := c.asks(t, p)
			if slot != "1" || (cookie != nil) != (sticky == "cookie") {
				t.Errorf("%s: slot %q answers, with the cookie %v", sticky, slot, cookie)
			}
			if tries := dead.health.bad.Load() / badConnect; tries > n+1 {
				t.Errorf("%s: the dead instance was tried %d times for %d requests", sticky, tries, n+1)
			}
		}
	}
}

func TestWithoutStickyNothingOfItIsSeen(t *testing.T) {
	p, _ := slots(t, 2, "")
	seen := map[string]bool{}
	for range 10 {
		slot, cookie := client{address: "10.0.0.1:1", cookies: []string{"roost_web=" + newStickiness("cookie", "web").token(0)}}.asks(t, p)
		if seen[slot] = true; cookie != nil {
			t.Errorf("cookie %v", cookie)
		}
	}
	if len(seen) != 2 {
		t.Errorf("only slots %v answer", seen)
	}
}

// The cost of choosing an endpoint among four:
//
//	go test -run - -bench Choose -benchmem ./apps
func BenchmarkChoose(b *testing.B) {
	var all []*endpoint
	for slot := range 4 {
		e := newEndpoint("unix", "/")
		e.slot = slot
		all = append(all, e)
	}
	for _, sticky := range []string{"", "cookie", "ip"} {
		b.Run(cmp.Or(sticky, "any"), func(b *testing.B) {
			p := poolOf(all...)
			p.stick(sticky, "web")
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Cookie", "session=0123456789; roost_web="+newStickiness("cookie", "web").token(2))
			b.ReportAllocs()
			for b.Loop() {
				c := claim{p: p, r: r}
				e, err := c.next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				e.release()
			}
		})
	}
}
