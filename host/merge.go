package host

import (
	"reflect"
	"slices"

	"roost/apps"
	"roost/tls"
)

// Merge makes now hold what file declares, and nothing else of that file: its
// sites are replaced; its apps are added, changed or removed. An app that
// stays keeps its ids and what commands have stopped, has as many slots as it
// declares on a box with so many CPUs, and gets a new revision when its
// program changed (see programOf). Sections [host] and [tls] of declared are
// taken over from whoever had them. What other files and commands declared
// stays; a name that one of them owns is a problem that Validate finds.
func Merge(now Config, file string, declared Config, cpus int) Config {
	c, declared := now.Clone(), declared.Clone()
	c.Lines = c.Lines.with(declared.Lines)

	switch {
	case declared.Host != (Listen{}):
		c.Host = declared.Host
		c.Host.Source = file
	case c.Host.Source == file:
		c.Host = Listen{}
	}
	switch {
	case declared.TLS != (tls.Config{}):
		c.TLS, c.TLSSource = declared.TLS, file
	case c.TLSSource == file:
		c.TLS, c.TLSSource = tls.Config{}, ""
	}

	c.Sites = slices.DeleteFunc(c.Sites, func(s Site) bool { return s.Source == file })
	for _, s := range declared.Sites {
		s.Source = file
		c.Sites = append(c.Sites, s)
	}

	// Apps keep their places, so that lists do not jump.
	stays := map[string]bool{}
	for _, a := range declared.Apps {
		stays[a.Name] = true
	}
	c.Apps = slices.DeleteFunc(c.Apps, func(a apps.Wanted) bool { return a.Source == file && !stays[a.Name] })
	c.restartIDs()
	seen := map[string]bool{}
	for _, a := range declared.Apps {
		i := slices.IndexFunc(c.Apps, func(old apps.Wanted) bool { return old.Name == a.Name && old.Source == file })
		if i < 0 || seen[a.Name] { // declared twice: Validate says so
			c.AddApp(a.Config, file, nil, cpus)
		} else {
			c.redeclare(&c.Apps[i], a.Config, cpus)
		}
		seen[a.Name] = true
	}
	return c
}

// redeclare gives an app of c a new declaration.
func (c *Config) redeclare(app *apps.Wanted, declared apps.Config, cpus int) {
	changed := !reflect.DeepEqual(programOf(app.Config), programOf(declared))
	app.Config = declared
	if changed {
		app.Revision++
		app.Replace = false
		for i := range app.Slots {
			app.Slots[i].Revision = app.Revision
		}
	}
	c.Resize(app, declared.Instances.Count(cpus))
}

// programOf keeps of a declaration what an instance is given at its start:
// a difference makes a new revision. The rest takes effect as it is.
func programOf(c apps.Config) apps.Config {
	c.Args, c.NodeArgs, c.Env, c.EnvFile = orNil(c.Args), orNil(c.NodeArgs), orNilMap(c.Env), orNil(c.EnvFile)
	// what the app minds, not its instances
	c.Namespace, c.Instances, c.DependsOn, c.Sticky = "", 0, nil, ""
	c.Autostart, c.Autorestart, c.StopExitCodes, c.MinUptime, c.MaxRestarts, c.RestartDelay, c.ExpBackoff = nil, nil, nil, 0, 0, 0, 0
	c.Watch, c.IgnoreWatch, c.WatchDelay, c.CronRestart, c.Schedule, c.TimeZone, c.MaxMemoryRestart = nil, nil, 0, "", "", "", 0
	c.QueueTimeout, c.QueueLimit, c.ListenTimeout = 0, 0, 0
	c.KillTimeout, c.KillSignal, c.ShutdownWithMessage, c.Treekill = 0, "", false, nil
	c.OutFile, c.ErrorFile, c.LogFile, c.MergeLogs, c.DisableLogs, c.LogType, c.Time, c.LogDateFormat = "", "", "", nil, false, "", false, ""
	c.PIDFile, c.MaxLogSize, c.MaxLogFiles = "", 0, 0
	return c
}

// orNil makes absent and empty the same.
func orNil[S ~[]string](w S) S {
	if len(w) == 0 {
		return nil
	}
	return w
}

func orNilMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}
