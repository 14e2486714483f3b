package service

import (
	"context"
	"sync"
	"sync/atomic"

	"roost/apps"
)

// followTarget is an app whose lines are asked for; slots is nil for all of them.
type followTarget struct {
	app   string
	slots map[int]bool
}

type followTargets []followTarget

// followed finds whose lines targets mean: every app's when there are none.
func (a *api) followed(targets []string) (followTargets, error) {
	config := a.editor.Config()
	var out followTargets
	if len(targets) == 0 {
		for _, app := range a.box.Apps() { // one that is being added as well, whose change is not made yet
			out = append(out, followTarget{app: app.Name})
		}
		return out, nil
	}
	chosen, err := resolve(config, targets)
	for _, s := range chosen {
		t := followTarget{app: config.Apps[s.app].Name}
		if !s.whole {
			t.slots = map[int]bool{}
			for _, slot := range s.slots {
				t.slots[slot] = true
			}
		}
		out = append(out, t)
	}
	return out, err
}

// followers joins the lines of many apps in one channel. It is used by one
// goroutine; each app has one of its own to carry lines over.
type followers struct {
	api     *api
	targets []string
	follow  func(program) (<-chan apps.Line, func())
	lines   chan apps.Line
	open    map[program]*follower
	carry   sync.WaitGroup
}

// follower is one app whose lines are carried over.
type follower struct {
	stop  func()
	ended atomic.Bool // the app has, and has no more lines
}

func newFollowers(a *api, targets []string, follow func(program) (<-chan apps.Line, func())) *followers {
	return &followers{api: a, targets: targets, follow: follow, lines: make(chan apps.Line, 256), open: map[program]*follower{}}
}

// update follows the apps of chosen that are not followed yet. Those that are
// deleted are followed to their last line.
func (f *followers) update(ctx context.Context, chosen followTargets) {
	for p, one := range f.open {
		if one.ended.Load() {
			one.stop()
			delete(f.open, p)
		}
	}
	for _, t := range chosen {
		p := f.api.box.App(t.app)
		if p == nil || f.open[p] != nil {
			continue
		}
		from, stop := f.follow(p)
		over := make(chan struct{})
		one := &follower{stop: func() { close(over); stop() }}
		f.open[p] = one
		f.carry.Go(func() {
			for {
				select {
				case line, ok := <-from:
					if !ok {
						one.ended.Store(true)
						return
					}
					select {
					case f.lines <- line:
					case <-over:
						return
					case <-ctx.Done():
						return
					}
				case <-over:
					return
				case <-ctx.Done():
					return
				}
			}
		})
	}
}

func (f *followers) close() {
	for _, one := range f.open {
		one.stop()
	}
	f.carry.Wait()
}
