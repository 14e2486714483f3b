package host

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"roost/apps"
)

func TestFreeSlotsAreTakenFirstAndForgottenAtTheEnd(t *testing.T) {
	var c Config
	w := c.AddApp(apps.Config{Name: "web", Instances: 4}, "", nil, 2)
	check := func(what string, want ...apps.Slot) {
		t.Helper()
		if diff := cmp.Diff(want, w.Slots); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	free := func(id int) apps.Slot { return apps.Slot{ID: id, Revision: 1, Stopped: true, Free: true} }
	slot := func(id int) apps.Slot { return apps.Slot{ID: id, Revision: 1} }
	c.Free(w, 1, 2)
	check("two in the middle are free", slot(0), free(1), free(2), slot(3))
	if w.Count() != 2 {
		t.Errorf("%d slots count, want 2", w.Count())
	}
	c.Resize(w, 3)
	check("the first free one is taken", slot(0), slot(4), free(2), slot(3))
	c.Stop(w)
	c.Bump(w, true)
	if w.Slots[2].Revision != 1 || !w.Slots[2].Stopped {
		t.Errorf("a free one was started: %+v", w.Slots[2])
	}
	c.Resize(w, 2)
	if len(w.Slots) != 2 || w.Count() != 2 {
		t.Errorf("free ones are left at the end: %+v", w.Slots)
	}
	c.Free(w, 1)
	if len(w.Slots) != 1 {
		t.Errorf("a free one is left at the end: %+v", w.Slots)
	}
}
