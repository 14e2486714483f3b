package host

import (
	"fmt"
	"slices"
	"time"

	"roost/apps"
)

// App finds an app by name; nil when there is none. The pointer is into c and
// good until the next change of c.Apps.
func (c *Config) App(name string) *apps.Wanted {
	for i := range c.Apps {
		if c.Apps[i].Name == name {
			return &c.Apps[i]
		}
	}
	return nil
}

// AddApp adds an app at revision 1 with as many slots as it declares on a box
// with so many CPUs, stopped when it does not start by itself. The caller has
// made sure that no app of that name exists.
func (c *Config) AddApp(app apps.Config, source string, environ map[string]string, cpus int) *apps.Wanted {
	c.Apps = append(c.Apps, apps.Wanted{
		Config: app, Source: source, Environ: environ, Revision: 1, Created: time.Now().UTC().Truncate(time.Millisecond),
	})
	w := &c.Apps[len(c.Apps)-1]
	c.Resize(w, app.Instances.Count(cpus))
	if app.Autostart != nil && !*app.Autostart {
		for i := range w.Slots {
			w.Slots[i].Stopped = true
		}
	}
	return w
}

// RemoveApp removes an app and says whether there was one. Once no slot is
// left, ids begin at 0 again.
func (c *Config) RemoveApp(name string) bool {
	before := len(c.Apps)
	c.Apps = slices.DeleteFunc(c.Apps, func(a apps.Wanted) bool { return a.Name == name })
	c.restartIDs()
	return len(c.Apps) < before
}

// Resize gives app, which is one of c's, n slots: new ones, in the places that
// are free and then at the end, with new ids and the app's revision, or fewer
// from the end.
func (c *Config) Resize(app *apps.Wanted, n int) {
	for count := app.Count(); count < n; count++ {
		fresh := apps.Slot{ID: c.NextID, Revision: app.Revision}
		c.NextID++
		if i := slices.IndexFunc(app.Slots, func(s apps.Slot) bool { return s.Free }); i >= 0 {
			app.Slots[i] = fresh
		} else {
			app.Slots = append(app.Slots, fresh)
		}
	}
	for count := app.Count(); count > max(n, 0); count-- {
		app.Slots = app.Slots[:len(app.Slots)-1]
		trim(app)
	}
	trim(app)
}

// Free takes the slots with these numbers from app. Others keep theirs.
func (c *Config) Free(app *apps.Wanted, slots ...int) {
	for _, n := range slots {
		app.Slots[n].Free, app.Slots[n].Stopped = true, true
	}
	trim(app)
}

// trim forgets free places at the end.
func trim(app *apps.Wanted) {
	for len(app.Slots) > 0 && app.Slots[len(app.Slots)-1].Free {
		app.Slots = app.Slots[:len(app.Slots)-1]
	}
}

// Bump makes the next revision of app and wants it in the slots with these
// ids, or in all when none is named. Slots that were stopped want an instance
// again. With replace a slot's old instance is stopped before the new starts;
// otherwise they overlap.
func (c *Config) Bump(app *apps.Wanted, replace bool, ids ...int) {
	app.Revision++
	app.Replace = replace
	for i := range app.Slots {
		if !app.Slots[i].Free && (len(ids) == 0 || slices.Contains(ids, app.Slots[i].ID)) {
			app.Slots[i].Revision = app.Revision
			app.Slots[i].Stopped = false
		}
	}
}

// Stop wants the slots with these ids empty, or all when none is named.
func (c *Config) Stop(app *apps.Wanted, ids ...int) {
	for i := range app.Slots {
		if len(ids) == 0 || slices.Contains(ids, app.Slots[i].ID) {
			app.Slots[i].Stopped = true
		}
	}
}

// AddSite adds a site, or says why another stands in its way. Sites that name
// a Source are Merge's business.
func (c *Config) AddSite(s Site) error {
	before := c.Clone()
	c.Sites = append(c.Sites, s)
	if problems := NewProblems(before, *c); len(problems) > 0 {
		c.Sites = before.Sites
		return fmt.Errorf("cannot add the site: %w", Problems(problems))
	}
	return nil
}

// RemoveSites removes the sites that match and says how many did.
func (c *Config) RemoveSites(match func(Site) bool) int {
	before := len(c.Sites)
	c.Sites = slices.DeleteFunc(c.Sites, match)
	return before - len(c.Sites)
}

func (c *Config) restartIDs() {
	for _, a := range c.Apps {
		if len(a.Slots) > 0 {
			return
		}
	}
	c.NextID = 0
}
