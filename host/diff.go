package host

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"roost/apps"
	"roost/tls"
	"roost/tls/dns01"
)

// Change is one line of a plan.
type Change struct {
	// Verb is "add", "change" or "remove".
	Verb string `json:"verb"`
	// Kind is "site", "app", "host" or "tls".
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	// Detail says what an added thing is or what of it changed. It never holds values of an environment.
	Detail string `json:"detail,omitempty"`
}

func (c Change) String() string {
	s := c.Verb + " " + c.Kind
	switch {
	case c.Kind == "app":
		s += " " + apps.ShowName(c.Name)
	case c.Name != "":
		s += " " + c.Name
	}
	if c.Detail != "" {
		s += ": " + c.Detail
	}
	return s
}

// Diff lists what makes old into new: the host, then sites, then apps, each in
// the order of new, with what is gone at the end.
func Diff(old, new Config) []Change {
	var changes []Change
	section := func(kind string, a, b any) {
		if detail := changedKeys(reflect.ValueOf(a), reflect.ValueOf(b)); len(detail) > 0 {
			changes = append(changes, Change{Verb: "change", Kind: kind, Detail: strings.Join(detail, ", ")})
		}
	}
	section("host", old.Host, new.Host)
	section("tls", old.TLS, new.TLS)
	changes = append(changes, diffSites(old.Sites, new.Sites)...)
	return append(changes, diffApps(old.Apps, new.Apps)...)
}

func diffApps(old, new []apps.Wanted) []Change {
	var changes []Change
	before := map[string]apps.Wanted{}
	for _, a := range old {
		before[a.Name] = a
	}
	for _, a := range new {
		was, ok := before[a.Name]
		delete(before, a.Name)
		if !ok {
			changes = append(changes, Change{"add", "app", a.Name, describeApp(a)})
			continue
		}
		detail := changedKeys(reflect.ValueOf(was.Config), reflect.ValueOf(a.Config))
		if n, m := was.Count(), a.Count(); n != m {
			detail = append(detail, fmt.Sprintf("%d -> %s", n, count(m, "instance")))
		}
		if a.Revision > was.Revision {
			detail = append(detail, fmt.Sprintf("new revision %d", a.Revision))
		}
		if n, m := stopped(was), stopped(a); n != m {
			detail = append(detail, fmt.Sprintf("%d -> %d stopped", n, m))
		}
		if len(detail) > 0 {
			changes = append(changes, Change{"change", "app", a.Name, strings.Join(detail, ", ")})
		}
	}
	for _, a := range old {
		if _, gone := before[a.Name]; gone {
			changes = append(changes, Change{"remove", "app", a.Name, ""})
		}
	}
	return changes
}

// diffSites pairs sites of the same domains first and then those that share
// one, so that a site with one domain more is a change.
func diffSites(old, new []Site) []Change {
	pair := make([]int, len(new)) // index into old, -1: none
	used := make([]bool, len(old))
	for i := range pair {
		pair[i] = -1
	}
	for _, alike := range []func(a, b Site) bool{
		func(a, b Site) bool { return a.key() == b.key() },
		sharesDomain,
	} {
		for i, s := range new {
			for j, was := range old {
				if pair[i] < 0 && !used[j] && alike(was, s) {
					pair[i], used[j] = j, true
				}
			}
		}
	}
	var changes []Change
	for i, s := range new {
		if pair[i] < 0 {
			changes = append(changes, Change{"add", "site", s.Name(), describeSite(s)})
			continue
		}
		detail := changedKeys(reflect.ValueOf(old[pair[i]]), reflect.ValueOf(s))
		if was := old[pair[i]].Closed; was != s.Closed {
			detail = append(detail, map[bool]string{true: "closed for maintenance", false: "open again"}[s.Closed])
		}
		if len(detail) > 0 {
			changes = append(changes, Change{"change", "site", s.Name(), strings.Join(detail, ", ")})
		}
	}
	for j, s := range old {
		if !used[j] {
			changes = append(changes, Change{"remove", "site", s.Name(), ""})
		}
	}
	return changes
}

func sharesDomain(a, b Site) bool {
	return slices.ContainsFunc(a.Domains, func(d string) bool {
		return slices.ContainsFunc(b.Domains, func(e string) bool { return strings.EqualFold(d, e) })
	})
}

// Name is how messages, logs and figures call a site: by its first domain, or
// "*" when it has none.
func (s Site) Name() string {
	if len(s.Domains) == 0 {
		return "*"
	}
	if name, _ := canonicalDomain(s.Domains[0]); name != "" {
		return name
	}
	return s.Domains[0]
}

// key is all that a site answers to.
func (s Site) key() string { return strings.ToLower(strings.Join(s.Domains, " ")) }

func describeSite(s Site) string {
	parts := []string{}
	if t := describeTarget(s.Target); t != "" {
		parts = append(parts, "/ -> "+t)
	}
	for _, r := range s.Routes {
		parts = append(parts, r.Path+" -> "+describeTarget(r.Target))
	}
	return strings.Join(parts, ", ")
}

func describeTarget(t Target) string {
	if t.App != "" {
		return "app " + apps.ShowName(t.App)
	}
	return t.Root
}

func describeApp(a apps.Wanted) string {
	program := a.Script
	if program == "" {
		program = a.Command
	}
	return program + ", " + count(a.Count(), "instance")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func stopped(a apps.Wanted) (n int) {
	for _, s := range a.Slots {
		if s.Stopped {
			n++
		}
	}
	return n
}

// changedKeys compares two structs key by key, "key: old -> new" where both
// are short, by the names of the config file and in its order.
func changedKeys(a, b reflect.Value) []string {
	var out []string
	for i := range a.NumField() {
		f := a.Type().Field(i)
		key, x, y := f.Tag.Get("toml"), a.Field(i), b.Field(i)
		switch {
		case f.Anonymous && key == "":
			out = append(out, changedKeys(x, y)...)
		case key == "" || key == "-" || reflect.DeepEqual(x.Interface(), y.Interface()) || empty(x) && empty(y):
		case f.Type.Kind() == reflect.Map:
			out = append(out, key+" "+strings.Join(changedNames(x, y), " "))
		case (f.Type.Kind() == reflect.Slice || f.Type.Kind() == reflect.Pointer) && f.Type.Elem().Kind() == reflect.Struct:
			out = append(out, key) // hashes of passwords among them
		case f.Type == reflect.TypeFor[dns01.Config]() || f.Type == reflect.TypeFor[tls.EAB]():
			out = append(out, key) // a command or a URL may hold what is nobody's business
		default:
			out = append(out, fmt.Sprintf("%s: %s -> %s", key, shown(x), shown(y)))
		}
	}
	return out
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

// changedNames are the keys under which two map[string]string differ.
func changedNames(x, y reflect.Value) []string {
	a, _ := x.Interface().(map[string]string)
	b, _ := y.Interface().(map[string]string)
	names := map[string]bool{}
	for _, pair := range [][2]map[string]string{{a, b}, {b, a}} {
		for k, v := range pair[0] {
			if w, ok := pair[1][k]; !ok || v != w {
				names[k] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func shown(v reflect.Value) string {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() == reflect.Pointer || empty(v) && v.Kind() != reflect.Bool {
		return "default"
	}
	return fmt.Sprint(v.Interface())
}
