//go:build unix

package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roost/apps"
)

// diary is what apps say of their starts and ends, in order.
type diary struct {
	t    *testing.T
	path string
}

func newDiary(t *testing.T) diary { return diary{t, filepath.Join(t.TempDir(), "diary")} }

// app adds an app to c that writes "+name" when it starts and "-name" when it
// ends; text runs between, and needs "wait" to go on until it is stopped.
func (d diary) app(c *Config, name, text string, on apps.Dependencies) *apps.Wanted {
	a := c.AddApp(apps.Config{
		Name: name, Script: "app.sh", Interpreter: "/bin/sh", Cwd: d.t.TempDir(), DependsOn: on,
		MinUptime: milliseconds(200),
	}, "", nil, 1)
	script := "diary=" + d.path + "\ntrap 'sleep 0.2; echo -" + name + " >>$diary; exit 0' TERM\necho +" + name + " >>$diary\n" + text
	if err := os.WriteFile(filepath.Join(a.Cwd, "app.sh"), []byte(script), 0o644); err != nil {
		d.t.Fatal(err)
	}
	return a
}

const forEver = "\nwhile :; do sleep 0.05; done\n"

func (d diary) read() []string {
	text, _ := os.ReadFile(d.path)
	return strings.Fields(string(text))
}

// follows checks that the words are in the diary once each, in this order.
func (d diary) follows(words string) {
	d.t.Helper()
	got, at := d.read(), -1
	for _, w := range strings.Fields(words) {
		n := slices.Index(got, w)
		if n <= at {
			d.t.Errorf("%s is not after what precedes it in %q: %q", w, words, got)
			return
		}
		at = n
	}
}

func stop(c *Config, names ...string) {
	for _, name := range names {
		c.Stop(c.App(name))
	}
}

func TestAppsStartAfterWhatTheyDependOnAndEndBeforeIt(t *testing.T) {
	t.Parallel()
	b, d := newBox(t), newDiary(t)
	var c Config
	ready := func(names ...string) apps.Dependencies {
		all := apps.Dependencies{}
		for _, n := range names {
			all[n] = apps.DependReady
		}
		return all
	}
	no := false
	d.app(&c, "web", forEver, ready("api", "cache"))
	d.app(&c, "api", forEver, apps.Dependencies{"db": apps.DependReady, "migrate": apps.DependCompleted})
	d.app(&c, "migrate", "sleep 0.3; echo =migrate >>$diary; exit 0", ready("db")).Autorestart = &no
	d.app(&c, "db", forEver, nil)
	d.app(&c, "cache", forEver, nil)
	b.settled(c)
	d.follows("+db +migrate =migrate +api +web")
	d.follows("+cache +web")
	for _, s := range b.Status().Apps {
		if s.Failure != "" {
			t.Errorf("%s: %s", s.Name, s.Failure)
		}
	}

	c.Bump(c.App("db"), true) // a restart of one does not restart those that depend on it
	b.settled(c)
	if got := d.read(); strings.Count(strings.Join(got, " "), "+api") != 1 {
		t.Errorf("%q", got)
	}

	os.Remove(d.path)
	stop(&c, "web", "api", "migrate", "db", "cache")
	b.settled(c)
	d.follows("-web -api -db")
	d.follows("-web -cache")

	os.Remove(d.path)
	for i := range c.Apps {
		c.Bump(&c.Apps[i], true)
	}
	b.settled(c)
	d.follows("+db +migrate =migrate +api +web")

	os.Remove(d.path)
	b.stop()
	d.follows("-web -api -db")
	d.follows("-web -cache")
}

func TestADependencyThatFailsIsTheFailureOfThoseThatWait(t *testing.T) {
	t.Parallel()
	b, d := newBox(t), newDiary(t)
	var c Config
	d.app(&c, "web", forEver, apps.Dependencies{"api": apps.DependReady})
	d.app(&c, "api", forEver, apps.Dependencies{"db": apps.DependReady})
	db := d.app(&c, "db", "echo no disk >&2; exit 3", nil)
	begun := time.Now()
	err := b.want(c)
	if err == nil || time.Since(begun) > 30*time.Second {
		t.Fatalf("Settle = %v after %v", err, time.Since(begun))
	}
	var f *apps.Failure
	for _, want := range []string{"db: slot 0 exited with status 3", "api: waits for db, which has failed: slot 0 exited with status 3", "web: waits for api, which has failed: waits for db"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Settle does not say %q: %v", want, err)
		}
	}
	if !errors.As(err, &f) || f.App != "db" || !slices.Contains(f.Output, "no disk") {
		t.Errorf("Settle begins with %+v, want the cause and its output", f)
	}
	if in := b.App("web").Status().Instances[0]; in.State != apps.StateWaiting || !strings.HasPrefix(in.Reason, "waits for api") {
		t.Errorf("web = %+v", in)
	}

	// once it works, those that wait start by themselves
	if err := os.WriteFile(filepath.Join(db.Cwd, "app.sh"), []byte("while :; do sleep 0.05; done"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for b.App("web").Status().Failure != "" || b.App("web").Status().Instances[0].State != apps.StateReady {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("web has not started: %+v", b.App("web").Status())
		}
	}
	d.follows("+api +web")

	c.Stop(c.App("db"))
	b.settled(c) // those that run go on
	c.Bump(c.App("api"), true)
	if err := b.want(c); err == nil || !strings.Contains(err.Error(), "api: waits for db, which is stopped") {
		t.Errorf("Settle = %v", err)
	}
	if in := b.App("api").Status().Instances[0]; in.State != apps.StateReady || in.Revision != 1 {
		t.Errorf("api was ended though it cannot start again: %+v", in)
	}
}

func TestAppsAreRemovedAfterThoseThatDependOnThem(t *testing.T) {
	t.Parallel()
	b, d := newBox(t), newDiary(t)
	var c Config
	d.app(&c, "db", forEver, nil)
	d.app(&c, "web", forEver, apps.Dependencies{"db": apps.DependReady})
	b.settled(c)
	b.settled(Config{})
	d.follows("+db +web -web -db")
}

func TestAHostThatEndsKeepsTheOrderOfWhatEndsAlready(t *testing.T) {
	slow := "trap 'echo leaving >>$diary; sleep 1; echo -web >>$diary; exit 0' TERM" + forEver
	for name, end := range map[string]func(c *Config){
		"stopped": func(c *Config) { stop(c, "web", "db") },
		"removed": func(c *Config) { *c = Config{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, d := newBox(t), newDiary(t)
			var c Config
			d.app(&c, "db", forEver, nil)
			d.app(&c, "web", slow, apps.Dependencies{"db": apps.DependReady})
			b.settled(c)
			end(&c)
			wanted := make(chan error, 1)
			go func() { wanted <- b.want(c) }()
			until(t, "web leaves", func() bool { return slices.Contains(d.read(), "leaving") })
			b.stop()
			d.follows("leaving -web -db")
			<-wanted
		})
	}
}

func TestWhatIsWrongWithDependencies(t *testing.T) {
	text := func(apps string) string {
		var b strings.Builder
		for line := range strings.SplitSeq(apps, "\n") {
			name, rest, _ := strings.Cut(line, " ")
			b.WriteString("[[app]]\nname = \"" + name + "\"\ncommand = \"true\"\n" + rest + "\n")
		}
		return b.String()
	}
	for name, c := range map[string]struct{ apps, want string }{
		"unknown":        {"web depends_on = \"bd\"\ndb", `f:4: app web: depends_on names bd, which is no app: did you mean "db"?`},
		"itself":         {"web depends_on = [\"web\"]", `f:4: app web: depends_on leads in a circle: web -> web: remove one of them`},
		"a circle":       {"a depends_on = \"b\"\nb depends_on = \"c\"\nc depends_on = { a = \"started\" }\nd depends_on = \"a\"", `f:4: app a: depends_on leads in a circle: a -> b -> c -> a: remove one of them`},
		"never complete": {"web depends_on = { db = \"completed\" }\ndb", `f:4: app web: depends_on waits for db to have completed, but it starts again when it ends: set autorestart = false there`},
		"complete":       {"web depends_on = { db = \"completed\" }\ndb autorestart = false", ""},
		"a job":          {"web depends_on = \"db\"\ndb schedule = \"@daily\"", `f:4: app web: depends_on waits for db, which only starts at its schedule: wait for its next run with { db = "completed" }, or remove it here`},
	} {
		_, problems := Check("/f", []byte(text(c.apps)), "")
		if got := strings.ReplaceAll(Problems(problems).Error(), "/f:", "f:"); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}
