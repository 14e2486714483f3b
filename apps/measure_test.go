package apps

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestMeasureShowsInStatus(t *testing.T) {
	dir, err := os.MkdirTemp("", "roost") // socket paths are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	a := New(Options{RunDir: dir, LogDir: filepath.Join(dir, "logs")})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		within(t, "the app ends", ended)
	})
	a.Want(Wanted{
		Config:   Config{Name: "busy", Command: os.Args[0] + " -test.run=^TestABusyChildHelper$", Env: map[string]string{helperVariable: "alone"}},
		Revision: 1,
		Slots:    []Slot{{ID: 1, Revision: 1}},
	})
	if err := Measure(nil); err != nil {
		t.Error(err)
	}
	eventually(t, "CPU and memory show", func() bool {
		if err := Measure([]*App{a}); err != nil {
			t.Fatal(err)
		}
		all := a.Status().Instances
		return len(all) == 1 && all[0].CPU > 2 && all[0].Memory > 50<<20
	})
}
