package service

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

func someApps() host.Config {
	app := func(name, space string, ids ...int) apps.Wanted {
		w := apps.Wanted{Config: apps.Config{Name: name, Namespace: space}}
		for _, id := range ids {
			w.Slots = append(w.Slots, apps.Slot{ID: id})
		}
		return w
	}
	return host.Config{Apps: []apps.Wanted{app("web", "", 0, 1, 2), app("7", "jobs", 3), app("worker-mail", "jobs", 4, 5), app("api", "", 7)}}
}

func TestTargetsAreNamesNamespacesIdsAllAndExpressions(t *testing.T) {
	c := someApps()
	for words, want := range map[string]string{
		"web":         "web[0 1 2]",
		"all":         "web[0 1 2] 7[0] worker-mail[0 1] api[0]",
		"jobs":        "7[0] worker-mail[0 1]",
		"default":     "web[0 1 2] api[0]",
		"1":           "web[1]!",
		"7":           "7[0]", // a name before an id
		"5 4":         "worker-mail[0 1]!",
		"5 jobs":      "7[0] worker-mail[0 1]",
		"jobs 5":      "7[0] worker-mail[0 1]",
		"/^w/":        "web[0 1 2] worker-mail[0 1]",
		"api web web": "web[0 1 2] api[0]",
	} {
		got, err := resolve(c, strings.Fields(words))
		if err != nil {
			t.Errorf("%s: %v", words, err)
		}
		var parts []string
		for _, s := range got {
			part := fmt.Sprintf("%s%v", c.Apps[s.app].Name, s.slots)
			if !s.whole {
				part += "!"
			}
			parts = append(parts, part)
		}
		if have := strings.Join(parts, " "); have != want {
			t.Errorf("%s: got %s, want %s", words, have, want)
		}
	}
}

func TestUnknownTargetsNameTheNearest(t *testing.T) {
	for word, hint := range map[string]string{
		"wbe": "did you mean web?", "worker-mial": "did you mean worker-mail?", "JOBS": "did you mean jobs?",
		"nothing-like-it": "roost list", "99": "roost list", "/zzz/": "roost list",
	} {
		_, err := resolve(someApps(), []string{word})
		var e *control.Error
		if !errors.As(err, &e) || e.Code != control.CodeNotFound || !strings.Contains(e.Hint, hint) {
			t.Errorf("%s: got %#v, want hint %q", word, err, hint)
		}
	}
	var e *control.Error
	if _, err := resolve(someApps(), []string{"/(/"}); !errors.As(err, &e) || e.Code != control.CodeInvalid {
		t.Errorf("a broken expression: %v", err)
	}
	if _, err := resolve(host.Config{}, []string{"all"}); !errors.As(err, &e) || !strings.Contains(e.Hint, "roost start") {
		t.Errorf("all of nothing: %v", err)
	}
}
