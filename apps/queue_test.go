package apps

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// hold sends n requests to p, which has nobody to answer them.
func hold(p *pool, n int) []*httptest.ResponseRecorder {
	all := make([]*httptest.ResponseRecorder, n)
	for i := range all {
		all[i] = httptest.NewRecorder()
		go p.ServeHTTP(all[i], httptest.NewRequest("GET", "/", nil))
	}
	return all
}

func TestRequestsWaitTenSecondsForAnInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(poolOptions{})
		w := hold(p, 1)[0]
		time.Sleep(10*time.Second - time.Nanosecond)
		synctest.Wait()
		if p.waiting() != 1 {
			t.Errorf("%d wait", p.waiting())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if p.waiting() != 0 || w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d wait, %d %v", p.waiting(), w.Code, w.Header())
		}
	})
}

func TestTheQueueHasTheLengthAndTheTimeThatItIsGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(poolOptions{})
		p.limits(2*time.Second, 3)
		begin := time.Now()
		held := hold(p, 3)
		synctest.Wait()
		more := httptest.NewRecorder()
		p.ServeHTTP(more, httptest.NewRequest("GET", "/", nil))
		if more.Code != http.StatusServiceUnavailable || more.Header().Get("Retry-After") == "" || time.Since(begin) != 0 {
			t.Errorf("one more than fits: %d %v after %v", more.Code, more.Header(), time.Since(begin))
		}
		if p.waiting() != 3 {
			t.Errorf("%d wait", p.waiting())
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for _, w := range held {
			if w.Code != http.StatusServiceUnavailable {
				t.Errorf("status %d", w.Code)
			}
		}
	})
}

func TestAHundredRequestsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(poolOptions{})
		p.limits(0, 0)
		hold(p, 130)
		synctest.Wait()
		if p.waiting() != 100 {
			t.Errorf("%d wait", p.waiting())
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if p.waiting() != 0 {
			t.Errorf("%d still wait", p.waiting())
		}
	})
}

func TestAPublishedEndpointWakesAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(poolOptions{})
		a, b := newEndpoint("unix", "/a"), newEndpoint("unix", "/b")
		for range 20 {
			go func() {
				if _, err := (&claim{p: p}).next(t.Context()); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		p.publish(nil) // news that is no help
		synctest.Wait()
		if p.waiting() != 20 {
			t.Errorf("%d wait", p.waiting())
		}
		p.publish([]*endpoint{a, b})
		synctest.Wait()
		if p.waiting() != 0 || a.InFlight()+b.InFlight() != 20 || a.InFlight() < 5 || b.InFlight() < 5 {
			t.Errorf("%d wait, %d and %d in flight", p.waiting(), a.InFlight(), b.InFlight())
		}
	})
}

func TestAStoppedAppIsRefusedAtOnceAndWakesThoseThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pages []int
		p := newPool(poolOptions{fail: func(w http.ResponseWriter, r *http.Request, status int) {
			pages = append(pages, status)
			w.WriteHeader(status)
		}})
		held := hold(p, 1)
		synctest.Wait()
		p.refuse("stopped")
		synctest.Wait()
		later := httptest.NewRecorder()
		p.ServeHTTP(later, httptest.NewRequest("GET", "/", nil))
		for _, w := range append(held, later) {
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "" {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		}
		if fmt.Sprint(pages) != "[503 503]" {
			t.Errorf("error pages %v", pages)
		}
		p.allow()
		hold(p, 1)
		synctest.Wait()
		if p.waiting() != 1 {
			t.Error("does not wait when allowed again")
		}
		p.publish([]*endpoint{newEndpoint("unix", "/a")})
		p.refuse("still there")
		if _, err := (&claim{p: p}).next(t.Context()); err != nil {
			t.Errorf("a published endpoint is not used: %v", err)
		}
	})
}

func TestAClientThatGoesLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(poolOptions{fail: func(http.ResponseWriter, *http.Request, int) { t.Error("an error page for nobody") }})
		ctx, cancel := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		go p.ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		synctest.Wait()
		cancel()
		synctest.Wait()
		if p.waiting() != 0 || w.Code != statusClientGone {
			t.Errorf("%d wait, status %d", p.waiting(), w.Code)
		}
	})
}

func TestTheLeastBusyEndpointIsPickedAndEqualsTakeTurns(t *testing.T) {
	all := []*endpoint{newEndpoint("unix", "/0"), newEndpoint("unix", "/1"), newEndpoint("unix", "/2")}
	p := poolOf(all...)
	for range 300 {
		e, err := (&claim{p: p}).next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e.answered(time.Now())
		e.release()
	}
	for i, e := range all {
		if e.Requests() != 100 {
			t.Errorf("endpoint %d got %d of 300", i, e.Requests())
		}
	}
	for range 5 {
		all[0].acquire()
		all[2].acquire()
	}
	for range 5 {
		if e, _ := (&claim{p: p}).next(t.Context()); e != all[1] {
			t.Errorf("picked %v", e)
		}
	}
}

func BenchmarkClaim(b *testing.B) {
	p := poolOf(newEndpoint("unix", "/0"), newEndpoint("unix", "/1"), newEndpoint("unix", "/2"), newEndpoint("unix", "/3"))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c := claim{p: p}
			e, err := c.next(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			e.release()
		}
	})
}
