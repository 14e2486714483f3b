package service

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"roost/apps"
	"roost/host"
	"roost/internal/nearest"
	"roost/service/control"
)

// selection is what a target came to in one app.
type selection struct {
	app   int   // index in Config.Apps
	slots []int // indices of the slots meant, rising; all of them when the app itself was meant
	whole bool  // the app itself was meant, not some of its instances
}

// resolve finds what words mean. A word is, the first that fits: "all";
// "/regular expression/" on names; the name of an app; a namespace; the id of an
// instance. What several words mean is merged, in the order of the Config.
func resolve(c host.Config, words []string) ([]selection, error) {
	found := map[int]*selection{}
	whole := func(i int) {
		found[i] = &selection{app: i, whole: true, slots: every(&c.Apps[i])}
	}
	for _, word := range words {
		match, err := matcher(c, word)
		if err != nil {
			return nil, err
		}
		some := false
		for i, a := range c.Apps {
			if match(a.Name, a.Namespace) {
				whole(i)
				some = true
			}
		}
		if id, err := strconv.Atoi(word); err == nil && !some {
			if i, slot, ok := slotOf(c, id); ok {
				some = true
				s := found[i]
				if s == nil {
					s = &selection{app: i}
					found[i] = s
				}
				if !slices.Contains(s.slots, slot) {
					s.slots = append(s.slots, slot)
					slices.Sort(s.slots)
				}
			}
		}
		if !some {
			return nil, unknown(c, word)
		}
	}
	var out []selection
	for i := range c.Apps {
		if s := found[i]; s != nil {
			out = append(out, *s)
		}
	}
	return out, nil
}

// choose finds what a request means.
func choose(c host.Config, r control.ActRequest) ([]selection, error) {
	if len(r.Targets) == 0 {
		return nil, &control.Error{Code: control.CodeInvalid, Message: r.Verb + " of what?", Hint: `name apps, ids, namespaces, "all" or "/expression/"`}
	}
	chosen, err := resolve(c, r.Targets)
	if err != nil || len(r.Only) == 0 {
		return chosen, err
	}
	only, err := resolve(c, host.SplitNames(r.Only, c.Apps))
	if err != nil {
		return nil, err
	}
	chosen = slices.DeleteFunc(chosen, func(s selection) bool {
		return !slices.ContainsFunc(only, func(o selection) bool { return o.app == s.app })
	})
	if len(chosen) == 0 {
		return nil, &control.Error{
			Code: control.CodeNotFound, Message: fmt.Sprintf("none of %s is in %s", strings.Join(apps.ShowNames(r.Targets), " "), strings.Join(apps.ShowNames(r.Only), " ")),
			Hint: "see what there is with: roost list",
		}
	}
	return chosen, nil
}

// words are the targets that mean a selection.
func words(c host.Config, s selection) []string {
	app := &c.Apps[s.app]
	if s.whole {
		return []string{app.Name}
	}
	out := make([]string, len(s.slots))
	for i, id := range ids(app, s.slots) {
		out[i] = strconv.Itoa(id)
	}
	return out
}

func namesOf(c host.Config, chosen []selection) []string {
	names := make([]string, len(chosen))
	for i, s := range chosen {
		names[i] = c.Apps[s.app].Name
	}
	return names
}

// matcher says which apps a word means by name or namespace.
func matcher(c host.Config, word string) (func(name, space string) bool, error) {
	if word == "all" {
		return func(string, string) bool { return true }, nil
	}
	if len(word) > 2 && word[0] == '/' && word[len(word)-1] == '/' {
		re, err := regexp.Compile(word[1 : len(word)-1])
		if err != nil {
			return nil, &control.Error{
				Code: control.CodeInvalid, Message: fmt.Sprintf("target %s is not a regular expression: %v", word, err),
				Hint: "the syntax is that of https://golang.org/s/re2syntax",
			}
		}
		return func(name, _ string) bool { return re.MatchString(name) }, nil
	}
	if c.App(word) != nil {
		return func(name, _ string) bool { return name == word }, nil
	}
	return func(_, space string) bool { return namespaceOr(space) == word }, nil
}

func namespaceOr(space string) string {
	if space == "" {
		return "default"
	}
	return space
}

// slotOf finds the slot that an id addresses.
func slotOf(c host.Config, id int) (app, slot int, ok bool) {
	for i, a := range c.Apps {
		for j, s := range a.Slots {
			if s.ID == id && !s.Free {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// findApp finds the one app that word, a name or an id, addresses.
func findApp(c host.Config, word string) (int, error) {
	if i := slices.IndexFunc(c.Apps, func(a apps.Wanted) bool { return a.Name == word }); i >= 0 {
		return i, nil
	}
	if id, err := strconv.Atoi(word); err == nil {
		if i, _, ok := slotOf(c, id); ok {
			return i, nil
		}
	}
	return 0, unknown(c, word)
}

// unknown is the error for a target that means nothing, with the nearest name.
func unknown(c host.Config, word string) error {
	e := &control.Error{Code: control.CodeNotFound, Message: fmt.Sprintf("no app, namespace or instance id %q", word)}
	var names []string
	for _, a := range c.Apps {
		names = append(names, a.Name, namespaceOr(a.Namespace))
	}
	switch near := nearest.Of(word, names); {
	case len(c.Apps) == 0:
		e.Message = "there are no apps"
		e.Hint = "start one: roost start SCRIPT, or roost apply FILE"
	case near != "":
		e.Hint = fmt.Sprintf("did you mean %s?", apps.ShowName(near))
	default:
		e.Hint = "see what there is with: roost list"
	}
	return e
}
