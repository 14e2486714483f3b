package host

import (
	"strings"
	"testing"
	"time"

	"roost/apps"
	"roost/internal/unit"
)

// dependent is a Config of apps, each with one slot, at revision 1: "web>db:ready" depends on db.
func dependent(declared string) (c Config) {
	for _, word := range strings.Fields(declared) {
		name, on, _ := strings.Cut(word, ">")
		stopped := strings.HasPrefix(name, "!")
		a := c.AddApp(apps.Config{Name: strings.TrimPrefix(name, "!"), Command: "true"}, "", nil, 1)
		a.Slots[0].Stopped = stopped
		for _, d := range strings.Split(on, ",") {
			if dependency, condition, ok := strings.Cut(d, ":"); ok {
				if a.DependsOn == nil {
					a.DependsOn = apps.Dependencies{}
				}
				a.DependsOn[dependency] = condition
			}
		}
	}
	return c
}

func TestWhatAppsWaitFor(t *testing.T) {
	code := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		config string
		rows   map[string]apps.Instance // of the app's one slot; its status has nothing when absent
		fails  map[string]string
		passed map[string]int
		want   string // "app: reason", "app!: reason" for one that has failed, "app stays"
	}{
		"nothing depends":           {config: "a b"},
		"who has not been heard of": {config: "web>db:ready db", want: "web: waits for db to be ready"},
		"one that starts":           {config: "web>db:ready db", rows: map[string]apps.Instance{"db": {State: apps.StateStarting, PID: 7}}, want: "web: waits for db to be ready"},
		"is started":                {config: "web>db:started db", rows: map[string]apps.Instance{"db": {State: apps.StateStarting, PID: 7}}},
		"is not started yet":        {config: "web>db:started db", rows: map[string]apps.Instance{"db": {State: apps.StateStarting}}, want: "web: waits for db to be started"},
		"is ready":                  {config: "web>db:ready db", rows: map[string]apps.Instance{"db": {State: apps.StateReady, PID: 7}}},
		"is ready in a form of before": {config: "web>db:ready db", rows: map[string]apps.Instance{"db": {State: apps.StateReady, PID: 7, Revision: -1}},
			want: "web: waits for db to be ready"},
		"runs, and is to be completed": {config: "web>job:completed job", rows: map[string]apps.Instance{"job": {State: apps.StateReady, PID: 7}}, want: "web: waits for job to be completed"},
		"has completed":                {config: "web>job:completed job", rows: map[string]apps.Instance{"job": {State: apps.StateStopped, ExitCode: code(0)}}},
		"has completed badly":          {config: "web>job:completed job", rows: map[string]apps.Instance{"job": {State: apps.StateStopped, ExitCode: code(3)}}, want: "web!: waits for job, which has failed: exited with status 3"},
		"crashes, to be completed":     {config: "web>job:completed job", rows: map[string]apps.Instance{"job": {State: apps.StateBackoff, ExitCode: code(0)}}, want: "web: waits for job to be completed"},
		"has ended instead":            {config: "web>db:ready db", rows: map[string]apps.Instance{"db": {State: apps.StateStopped, ExitCode: code(0)}}, want: "web!: waits for db, which has ended: exited with status 0"},
		"has run":                      {config: "web>db:started db", rows: map[string]apps.Instance{"db": {State: apps.StateStopped, ExitCode: code(1)}}},
		"is stopped":                   {config: "web>db:ready !db", rows: map[string]apps.Instance{"db": {State: apps.StateStopped}}, want: "web!: waits for db, which is stopped"},
		"fails":                        {config: "web>db:ready db", rows: map[string]apps.Instance{"db": {State: apps.StateErrored}}, fails: map[string]string{"db": "exited with status 1"}, want: "web!: waits for db, which has failed: exited with status 1"},
		"one of two fails":             {config: "web>a:ready,b:ready a b", rows: map[string]apps.Instance{"a": {State: apps.StateStarting}, "b": {State: apps.StateErrored}}, fails: map[string]string{"b": "x"}, want: "web!: waits for b, which has failed: x"},
		"a chain":                      {config: "web>api:ready api>db:ready db", rows: map[string]apps.Instance{"api": {State: apps.StateWaiting}, "db": {State: apps.StateErrored}}, fails: map[string]string{"api": "waits for db, which has failed: x", "db": "x"}, want: "web!: waits for api, which has failed: waits for db, which has failed: x; api!: waits for db, which has failed: x"},
		"does not exist":               {config: "web>db:ready", want: "web!: waits for db, which does not exist"},
		"one that was let start is not held again": {config: "web>db:ready db", rows: map[string]apps.Instance{"db": {State: apps.StateErrored}}, passed: map[string]int{"web": 1}},
		"its next revision is":                     {config: "web>db:ready db", rows: map[string]apps.Instance{"db": {State: apps.StateBackoff}}, passed: map[string]int{"web": 0}, want: "web: waits for db to be ready"},
		"stopped apps wait for nothing":            {config: "!web>db:ready !db"},
		"stop in reverse":                          {config: "!web>db:ready !db", rows: map[string]apps.Instance{"web": {State: apps.StateDraining, PID: 7}}, want: "db stays"},
		"one alone stops at once":                  {config: "web>db:ready !db", rows: map[string]apps.Instance{"web": {State: apps.StateReady, PID: 7}}, passed: map[string]int{"web": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			config := dependent(c.config)
			status := map[string]apps.Status{}
			for _, a := range config.Apps {
				in, ok := c.rows[a.Name]
				if !ok {
					continue
				}
				in.ID, in.Revision = a.Slots[0].ID, in.Revision+1
				status[a.Name] = apps.Status{Revision: 1, Failure: c.fails[a.Name], Instances: []apps.Instance{in}}
			}
			all := waits(config, status, c.passed)
			var got []string
			for _, a := range config.Apps {
				switch w := all[a.Name]; {
				case w.Stay:
					got = append(got, a.Name+" stays")
				case w.Failed:
					got = append(got, a.Name+"!: "+w.Reason)
				case w.Reason != "":
					got = append(got, a.Name+": "+w.Reason)
				}
			}
			if got := strings.Join(got, "; "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestTheTimeToStopIsThatOfTheLongestChain(t *testing.T) {
	c := dependent("a>b:ready,c:ready b>d:ready c d e")
	for i, seconds := range []int{1, 2, 30, 40, 50} {
		c.Apps[i].KillTimeout = unit.Duration(time.Duration(seconds) * time.Second)
	}
	if got := c.StopTime(); got != 50*time.Second {
		t.Errorf("%v, want 50 s", got)
	}
	c.Apps[4].KillTimeout = unit.Duration(time.Second)
	if got := c.StopTime(); got != 43*time.Second {
		t.Errorf("%v, want 43 s", got)
	}
	circle := dependent("a>b:ready b>a:ready")
	if got := circle.StopTime(); got != 20*time.Second {
		t.Errorf("%v of a circle", got)
	}
}
