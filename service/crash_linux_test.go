package service

import (
	"os"
	"slices"
	"testing"
)

func TestAfterACrashTheAppsRunOnceAndAsBefore(t *testing.T) {
	dirs := home(t)
	c := spawn(t, dirs, "real")
	if _, err := c.Start(t.Context(), shell(t, "web", "sleep 1000 & wait", 2), nil); err != nil {
		t.Fatal(err)
	}
	before, err := c.Instances(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.signal(t, os.Kill)
	c.wait(t)
	if !slices.ContainsFunc(pids(before), lives) {
		t.Error("the crash took the apps along: this test shows nothing")
	}

	c = spawn(t, dirs, "real")
	if slices.ContainsFunc(pids(before), lives) {
		t.Errorf("of %v some still run beside the new ones", pids(before))
	}
	eventually(t, "the apps are back", func() bool {
		rows, err := c.Instances(t.Context(), nil)
		return err == nil && slices.Equal(states(rows), []string{"web:ready", "web:ready"}) && rows[1].ID == before[1].ID
	})
}
