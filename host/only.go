package host

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"roost/apps"
)

// SplitNames takes lists of names apart at commas and blanks, as PM2 has them in
// --only. The names and namespaces of known, which may have some of these in
// them, come first, the longest that fits; so does a "/regular expression/".
func SplitNames(lists []string, known []apps.Wanted) (names []string) {
	is := map[string]bool{}
	for _, a := range known {
		is[a.Name], is[namespace(a.Config)] = true, true
	}
	between := func(r rune) bool { return r == ',' || unicode.IsSpace(r) }
	for _, list := range lists {
		if is[list] || len(list) > 2 && list[0] == '/' && list[len(list)-1] == '/' {
			names = append(names, list)
			continue
		}
		for rest := strings.TrimFunc(list, between); rest != ""; {
			name := ""
			for i, r := range rest + "," {
				if between(r) && (name == "" || is[rest[:i]]) {
					name = rest[:i]
				}
			}
			names = append(names, name)
			rest = strings.TrimLeftFunc(rest[len(name):], between)
		}
	}
	return names
}

// Choose returns the declared apps that Only means, all without it; the error
// says which of it is nothing that the file declares.
func (o MergeOptions) Choose(declared Config) (chosen []apps.Wanted, err error) {
	only := SplitNames(o.Only, declared.Apps)
	if len(o.Only) == 0 {
		return declared.Apps, nil
	}
	met := map[string]bool{}
	var names []string
	for _, a := range declared.Apps {
		name, space := a.Name, namespace(a.Config)
		if slices.Contains(only, name) || slices.Contains(only, space) {
			chosen = append(chosen, a)
		}
		met[name], met[space] = true, true
		names = append(names, name, a.Namespace)
	}
	for _, word := range only {
		if met[word] {
			continue
		}
		if near := didYouMean(word, names); near != "" {
			return chosen, fmt.Errorf("the file declares no app or namespace %q: %s", word, near)
		}
		return chosen, fmt.Errorf("the file declares no app or namespace %q", word)
	}
	return chosen, nil
}

func namespace(a apps.Config) string {
	if a.Namespace == "" {
		return "default"
	}
	return a.Namespace
}

// Names are the names of the apps that a config file declares and Only means.
// What is wrong with the file are Problems.
func (o MergeOptions) Names(file string, text []byte, env string) ([]string, error) {
	declared, problems := Parse(file, text, env)
	if len(problems) > 0 {
		return nil, Problems(problems)
	}
	chosen, err := o.Choose(declared)
	var names []string
	for _, a := range chosen {
		names = append(names, a.Name)
	}
	return names, err
}
