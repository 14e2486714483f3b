package service

import (
	"testing"

	"roost/apps"
	"roost/host"
)

func TestNewsSayHowFarAnAppIs(t *testing.T) {
	wanted := apps.Wanted{Config: apps.Config{Name: "web"}, Revision: 3, Slots: []apps.Slot{{ID: 4, Revision: 3}, {ID: 5, Revision: 3}, {ID: 6, Stopped: true, Revision: 2}}}
	row := func(id, revision int, state apps.State) apps.Instance {
		return apps.Instance{App: "web", ID: id, Slot: id - 4, Revision: revision, State: state, PID: 100 + id, Reason: "exit status 1"}
	}
	stopped := wanted
	stopped.Slots = []apps.Slot{{ID: 4, Stopped: true}}
	for want, c := range map[string]struct {
		wanted apps.Wanted
		rows   []apps.Instance
	}{
		"web: 1/2 instances ready on revision 3, 1 starting":                                   {wanted, []apps.Instance{row(4, 3, apps.StateReady), row(5, 3, apps.StateStarting), row(5, 2, apps.StateReady)}},
		"web: 0/2 instances ready on revision 3, 1 draining, 1 backoff, slot 1: exit status 1": {wanted, []apps.Instance{row(4, 2, apps.StateDraining), row(5, 3, apps.StateBackoff)}},
		"web: 2/2 instances ready on revision 3":                                               {wanted, []apps.Instance{row(4, 3, apps.StateReady), row(5, 3, apps.StateReady)}},
		"web: stopping, 1 left":                                                                {stopped, []apps.Instance{row(4, 3, apps.StateDraining)}},
		"web: stopped":                                                                         {stopped, nil},
	} {
		if got := newsOf(c.wanted, apps.Status{Name: "web", Instances: c.rows}); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	next := host.Config{Apps: []apps.Wanted{wanted}}
	if got := news(host.Config{}, next, nil); len(got) != 1 || got["web"] == "" {
		t.Errorf("a new app: %v", got)
	}
	if got := news(next, host.Config{}, nil); got["web"] != "web: stopped" {
		t.Errorf("a removed app: %v", got)
	}
	if got := news(next, next.Clone(), nil); len(got) != 0 {
		t.Errorf("nothing changes: %v", got)
	}
}
