package host

import (
	"slices"
	"testing"

	"roost/apps"
)

func TestListsOfNamesAreTakenApartAroundTheNamesThatThereAre(t *testing.T) {
	var known []apps.Wanted
	for _, name := range []string{"web", "My App", "My App 2", "a, b", "a", "b"} {
		known = append(known, apps.Wanted{Config: apps.Config{Name: name, Namespace: "team " + name}})
	}
	for _, c := range []struct{ lists, want []string }{
		{nil, nil},
		{[]string{"", " , "}, nil},
		{[]string{"web"}, []string{"web"}},
		{[]string{"web,api other"}, []string{"web", "api", "other"}},
		{[]string{"My App"}, []string{"My App"}},
		{[]string{"web, My App"}, []string{"web", "My App"}},
		{[]string{"My App web"}, []string{"My App", "web"}},
		{[]string{"My App 2 My App 3"}, []string{"My App 2", "My App", "3"}},
		{[]string{"a, b"}, []string{"a, b"}},
		{[]string{"a,b"}, []string{"a", "b"}},
		{[]string{"a", "b, a"}, []string{"a", "b", "a"}},
		{[]string{"b a, b,web"}, []string{"b", "a, b", "web"}},
		{[]string{"team My App,team web"}, []string{"team My App", "team web"}},
		{[]string{"/a b, c/"}, []string{"/a b, c/"}},
		{[]string{"My", "App"}, []string{"My", "App"}},
	} {
		if got := SplitNames(c.lists, known); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.lists, got, c.want)
		}
	}
}
