package host

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roost/apps"
	"roost/tls"
)

const testFile = "/etc/roost/roost.toml"

// declare parses a text without looking at problems: Merge takes what it gets.
func declare(t *testing.T, file, text string) Config {
	t.Helper()
	c, problems := Parse(file, []byte(text), "")
	if len(problems) > 0 {
		t.Fatal(Problems(problems))
	}
	return c
}

func TestMergeKeepsWhatCommandsMadeOfAnApp(t *testing.T) {
	text := `
[[app]]
name = "web"
command = "./web"
instances = 2
[[app]]
name = "clock"
command = "./clock"
`
	c := Merge(Config{}, testFile, declare(t, testFile, text), MergeOptions{CPUs: 4})
	if diff := cmp.Diff([]apps.Slot{{ID: 0, Revision: 1}, {ID: 1, Revision: 1}}, c.App("web").Slots); diff != "" {
		t.Error(diff)
	}
	if c.App("clock").Slots[0].ID != 2 || c.NextID != 3 {
		t.Errorf("clock has id %d, next %d; want 2, 3", c.App("clock").Slots[0].ID, c.NextID)
	}
	c.Bump(c.App("web"), true, 1) // roost restart 1
	c.Stop(c.App("clock"))        // roost stop clock
	before := c.Clone()
	again := Merge(c, testFile, declare(t, testFile, text), MergeOptions{CPUs: 4})
	if diff := cmp.Diff(before, again); diff != "" {
		t.Errorf("applying the same file again changes something:\n%s", diff)
	}
	if changes := Diff(before, again); len(changes) > 0 {
		t.Errorf("plan is %v, want none", changes)
	}
	if diff := cmp.Diff(before, c); diff != "" {
		t.Errorf("Merge changed its argument:\n%s", diff)
	}
}

func TestMergeBumpsTheRevisionOfAChangedProgramOnly(t *testing.T) {
	base := "[[app]]\nname = \"web\"\ncommand = \"./web\"\ninstances = 2\n"
	for _, test := range []struct {
		name, added string
		revision    int
	}{
		{"nothing", "", 1},
		{"args", `args = ["-v"]`, 2},
		{"env", `env = { A = "1" }`, 2},
		{"cwd", `cwd = "/srv"`, 2},
		{"interpreter", `interpreter = "none"`, 2},
		{"port", `port = 3000`, 2},
		{"health", `health = "/up"`, 2},
		{"user", `user = "www-data"`, 2},
		{"listen_fds", `listen_fds = true`, 2},
		{"wait_ready", `wait_ready = true`, 2},
		{"empty args and env are the absent ones", "args = []\nenv = {}", 1},
		{"timeouts", "kill_timeout = 5\nqueue_timeout = 5\nlisten_timeout = 5\nqueue_limit = 7", 1},
		{"log limits", "max_log_size = \"1M\"\nmax_log_files = 3", 1},
		{"namespace", `namespace = "a"`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Merge(Config{}, testFile, declare(t, testFile, base), MergeOptions{CPUs: 4})
			c = Merge(c, testFile, declare(t, testFile, base+test.added), MergeOptions{CPUs: 4})
			app := c.App("web")
			if app.Revision != test.revision || app.Slots[0].Revision != test.revision || app.Slots[1].ID != 1 {
				t.Errorf("revision %d, slots %+v; want %d", app.Revision, app.Slots, test.revision)
			}
		})
	}
}

func TestMergeGivesAnAppAsManySlotsAsItDeclares(t *testing.T) {
	with := func(n string) Config {
		return declare(t, testFile, "[[app]]\nname = \"web\"\ncommand = \"./web\"\ninstances = "+n+"\n")
	}
	c := Config{}
	for _, step := range []struct {
		n   string
		ids []int
	}{{"2", []int{0, 1}}, {"4", []int{0, 1, 2, 3}}, {"1", []int{0}}, {`"max"`, []int{0, 4, 5}}, {"-1", []int{0, 4}}} {
		c = Merge(c, testFile, with(step.n), MergeOptions{CPUs: 3})
		var ids []int
		for _, s := range c.App("web").Slots {
			ids = append(ids, s.ID)
		}
		if !slices.Equal(ids, step.ids) || c.App("web").Revision != 1 {
			t.Errorf("instances = %s: ids %v at revision %d, want %v at 1", step.n, ids, c.App("web").Revision, step.ids)
		}
	}
}

func TestMergeTouchesOnlyWhatTheFileOwns(t *testing.T) {
	one, two := "/one.toml", "/two.toml"
	c := Merge(Config{}, one, declare(t, one, "[host]\nhttp = \":1\"\n[tls]\nissuer = \"internal\"\n[[site]]\ndomains = [\"one.test\"]\napp = \"one\"\n[[app]]\nname = \"one\"\ncommand = \"one\"\n"), MergeOptions{CPUs: 1})
	c.AddApp(apps.Config{Name: "hand", Command: "hand"}, "", map[string]string{"PATH": "/bin"}, 1)
	c = Merge(c, two, declare(t, two, "[[site]]\ndomains = [\"two.test\"]\napp = \"two\"\n[[app]]\nname = \"two\"\ncommand = \"two\"\n"), MergeOptions{CPUs: 1})
	if names := appNames(c); !slices.Equal(names, []string{"one", "hand", "two"}) || len(c.Sites) != 2 || c.Host.Source != one || c.TLSSource != one {
		t.Errorf("apps %v, %d sites, host of %q, tls of %q", names, len(c.Sites), c.Host.Source, c.TLSSource)
	}

	c = Merge(c, two, declare(t, two, "[host]\nhttp = \":2\"\n"), MergeOptions{CPUs: 1}) // takes [host] over, drops its site and app
	if names := appNames(c); !slices.Equal(names, []string{"one", "hand"}) || len(c.Sites) != 1 || c.Host.HTTP != ":2" || c.Host.Source != two || c.TLS.Issuer != "internal" {
		t.Errorf("apps %v, %d sites, host %+v", names, len(c.Sites), c.Host)
	}

	c = Merge(c, one, Config{}, MergeOptions{CPUs: 1}) // an empty file takes back only its own
	if names := appNames(c); !slices.Equal(names, []string{"hand"}) || len(c.Sites) != 0 || c.Host.HTTP != ":2" || c.TLS != (tls.Config{}) || c.TLSSource != "" {
		t.Errorf("apps %v, %d sites, host %+v, tls %+v", names, len(c.Sites), c.Host, c.TLS)
	}
}

func appNames(c Config) []string {
	var names []string
	for _, a := range c.Apps {
		names = append(names, a.Name)
	}
	return names
}

func TestANameThatAnotherOwnsIsAProblem(t *testing.T) {
	dir := folderWith(t, "web")
	c := Config{}
	c.AddApp(apps.Config{Name: "web", Command: "./web", Cwd: dir}, "", nil, 1)
	file := dir + "/roost.toml"
	merged := Merge(c, file, declare(t, file, "[[app]]\nname = \"web\"\ncommand = \"./web\"\n"), MergeOptions{CPUs: 1})
	got := problemLines(dir, NewProblems(c, merged))
	want := []string{"roost.toml:2: app web: the name belongs to an app that a command declares: choose another name, or remove that app first"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatBrokeByItselfDoesNotStandInTheWay(t *testing.T) {
	dir := folderWith(t, "public/")
	old := Config{Sites: []Site{{Domains: []string{"gone.test"}, Target: Target{Root: dir + "/gone"}}}}
	if len(Validate(old)) != 1 {
		t.Fatalf("problems %v, want one", Validate(old))
	}
	c := old.Clone()
	if err := c.AddSite(Site{Domains: []string{"new.test"}, Target: Target{Root: dir + "/public"}}); err != nil {
		t.Error(err)
	}
	if err := c.AddSite(Site{Domains: []string{"new.test"}, Target: Target{Root: dir + "/public"}}); err == nil || len(c.Sites) != 2 {
		t.Errorf("a second site of one domain: %v, %d sites", err, len(c.Sites))
	}
	if n := c.RemoveSites(func(s Site) bool { return s.Name() == "new.test" }); n != 1 || len(c.Sites) != 1 {
		t.Errorf("removed %d, %d left", n, len(c.Sites))
	}
}

func TestIDsAreUniqueAndBeginAgainOnAnEmptyBox(t *testing.T) {
	c := Config{}
	c.AddApp(apps.Config{Name: "a", Command: "a", Instances: 2}, "", nil, 1)
	c.AddApp(apps.Config{Name: "b", Command: "b"}, "", nil, 1)
	c.RemoveApp("a")
	if w := c.AddApp(apps.Config{Name: "c", Command: "c"}, "", nil, 1); w.Slots[0].ID != 3 {
		t.Errorf("id %d, want 3: ids are not used twice", w.Slots[0].ID)
	}
	if !c.RemoveApp("b") || !c.RemoveApp("c") || c.RemoveApp("c") {
		t.Error("RemoveApp does not say whether there was one")
	}
	no := false
	if w := c.AddApp(apps.Config{Name: "d", Command: "d", Autostart: &no}, "", nil, 1); w.Slots[0].ID != 0 || !w.Slots[0].Stopped {
		t.Errorf("slot %+v, want id 0, stopped", w.Slots[0])
	}
	d := c.App("d")
	c.Bump(d, false)
	if d.Revision != 2 || d.Slots[0].Stopped || d.Slots[0].Revision != 2 {
		t.Errorf("after Bump: %+v", d)
	}
}

func TestDiffIsThePlan(t *testing.T) {
	old := Merge(Config{}, testFile, declare(t, testFile, `
[host]
http = ":80"
[[site]]
domains = ["example.com"]
root = "/srv/public"
[[site]]
domains = ["gone.example.com"]
root = "/srv/gone"
[[app]]
name = "web"
command = "./web"
env = { A = "secret", B = "2" }
[[app]]
name = "old"
command = "./old"
`), MergeOptions{CPUs: 2})
	new := Merge(old, testFile, declare(t, testFile, `
[host]
http = ":8080"
access_log = false
[tls]
issuer = "internal"
dns = { provider = "exec", command = "/bin/hook --token=secret" }
[[site]]
domains = ["example.com", "www.example.com"]
root = "/srv/www"
[[site]]
app = "web"
[[site.route]]
path = "/docs/"
root = "/srv/docs"
[[app]]
name = "web"
command = "./web"
env = { A = "secreter", C = "3", B = "2" }
instances = "max"
[[app]]
name = "new"
script = "new.js"
instances = 3
`), MergeOptions{CPUs: 2})
	var got []string
	for _, c := range Diff(old, new) {
		got = append(got, c.String())
	}
	want := []string{
		"change host: http: :80 -> :8080, access_log: default -> false",
		"change tls: issuer: default -> internal, dns",
		"change site example.com: domains: [example.com] -> [example.com www.example.com], root: /srv/public -> /srv/www",
		"add site *: / -> app web, /docs/ -> /srv/docs",
		"remove site gone.example.com",
		"change app web: instances: default -> max, env A C, 1 -> 2 instances, new revision 2",
		"add app new: new.js, 3 instances",
		"remove app old",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestCloneSharesNothing fills a Config by reflection, so that a field that is
// added later and forgotten in Clone is found.
func TestCloneSharesNothing(t *testing.T) {
	var c Config
	fill(reflect.ValueOf(&c).Elem())
	c.Lines = nil
	want, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	clone := c.Clone()
	if diff := cmp.Diff(c, clone); diff != "" {
		t.Fatal(diff)
	}
	scribble(reflect.ValueOf(&clone).Elem())
	got, _ := json.Marshal(c)
	if string(got) != string(want) {
		t.Errorf("changing the clone changed the original:\n%s\n%s", want, got)
	}
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		if v.Type().Elem().Kind() == reflect.String {
			v.Set(reflect.ValueOf(map[string]string{"k": "v"}).Convert(v.Type()))
		}
	case reflect.String:
		v.SetString("a")
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Bool:
		v.SetBool(true)
	}
}

// scribble changes everything that v reaches, in place.
func scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				scribble(v.Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			scribble(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			scribble(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			v.SetMapIndex(k, reflect.Zero(v.Type().Elem()))
		}
	case reflect.String:
		v.SetString("b")
	case reflect.Int, reflect.Int64:
		v.SetInt(2)
	case reflect.Bool:
		v.SetBool(false)
	}
}
