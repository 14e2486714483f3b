package apps

import (
	"testing"
	"time"
)

func TestAFailingInstanceIsEjectedAndComesBack(t *testing.T) {
	var h health
	if h.failed(badConnect) != 0 || !h.in() {
		t.Error("ejected by one failed connect")
	}
	if d := h.failed(badConnect); d != time.Second || h.in() {
		t.Errorf("second failed connect: %v, in rotation %v", d, h.in())
	}
	if d := h.failed(badConnect); d != 0 {
		t.Errorf("ejected twice at a time")
	}
	for _, want := range []time.Duration{2, 4, 8, 10, 10} {
		h.until.Store(1) // long ago
		if !h.in() {
			t.Error("does not come back")
		}
		if d := h.failed(badAnswer); d != want*time.Second {
			t.Errorf("next ejection is %v, want %v s", d, want)
		}
	}
	h.good()
	for range ejectAt - 1 {
		if h.failed(badAnswer) != 0 {
			t.Error("a good answer does not clear the past")
		}
	}
	if h.failed(badAnswer) != time.Second {
		t.Error("five broken answers do not eject")
	}
}

func TestAnEjectedInstanceGetsNoRequestsUnlessItIsTheOnlyOne(t *testing.T) {
	a, b := runInstance(t, answerName("a")), runInstance(t, answerName("b"))
	a.health.failed(ejectAt)
	p := poolOf(a, b)
	s := listenHost(t, p)
	for range 10 {
		if _, text := ask(t, s, "GET", "/", nil); text != "b" {
			t.Errorf("answered by %s", text)
		}
	}
	p.publish([]*endpoint{a})
	if status, text := ask(t, s, "GET", "/", nil); status != 200 || text != "a" {
		t.Errorf("%d %s", status, text)
	}
	if !a.health.in() {
		t.Error("a good answer does not bring it back")
	}
}
