package host

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"roost/apps"
)

// depends looks at what apps wait for: apps that exist, in no circle, as they
// can come to be.
func (v *validator) depends() {
	places := v.appPlaces()
	var names []string
	for _, a := range v.config.Apps {
		names = append(names, a.Name)
	}
	told := map[string]bool{} // of a circle
	for i := range v.config.Apps {
		a, at := &v.config.Apps[i], places[i]
		for _, name := range slices.Sorted(maps.Keys(a.DependsOn)) {
			on := v.config.App(name)
			key := "depends_on"
			if _, written := at.index.lineAt(join(at.path, "depends_on."+name)); written {
				key += "." + name
			}
			switch condition := a.DependsOn[name]; {
			case on == nil:
				hint := didYouMean(name, names)
				if hint == "" {
					hint = "declare it, or remove it here"
				}
				v.report(at, key, fmt.Sprintf("depends_on names %s, which is no app", apps.ShowName(name)), hint)
			case condition == apps.DependCompleted && on.Schedule == "" && !ends(on):
				v.report(at, key, fmt.Sprintf("depends_on waits for %s to have completed, but it starts again when it ends", apps.ShowName(name)), "set autorestart = false there")
			case condition != apps.DependCompleted && on.Schedule != "":
				v.report(at, key, fmt.Sprintf("depends_on waits for %s, which only starts at its schedule", apps.ShowName(name)), `wait for its next run with { `+tomlKey(name)+` = "completed" }, or remove it here`)
			}
		}
		if circle := v.circle(a.Name); circle != nil && !told[a.Name] {
			for _, name := range circle {
				told[name] = true
			}
			v.report(at, "depends_on", "depends_on leads in a circle: "+strings.Join(apps.ShowNames(append(circle, a.Name)), " -> "), "remove one of them")
		}
	}
}

// tomlKey writes a key as it stands in a file.
func tomlKey(key string) string {
	if key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" {
		return key
	}
	return strconv.Quote(key)
}

// ends reports whether an instance that exits with status 0 is left so.
func ends(a *apps.Wanted) bool {
	return a.Autorestart != nil && !*a.Autorestart || slices.Contains(a.StopExitCodes, 0)
}

// circle is the way by which an app depends on itself, from it; nil when there
// is none.
func (v *validator) circle(name string) []string {
	seen := map[string]bool{}
	var way func(from string) []string
	way = func(from string) []string {
		a := v.config.App(from)
		if a == nil || seen[from] {
			return nil
		}
		seen[from] = true
		for _, on := range slices.Sorted(maps.Keys(a.DependsOn)) {
			if on == name {
				return []string{from}
			}
			if rest := way(on); rest != nil {
				return append([]string{from}, rest...)
			}
		}
		return nil
	}
	return way(name)
}
