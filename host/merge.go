package host

import (
	"maps"
	"path/filepath"
	"reflect"
	"slices"

	"roost/apps"
	"roost/tls"
)

// MergeOptions say how Merge takes a file.
type MergeOptions struct {
	// CPUs are how many the box has.
	CPUs int
	// Only restricts the file to the apps with these names or in these namespaces, see SplitNames; all else stays.
	Only []string
	// Keep lets stay what has left the file, and takes over apps of the same names from other files and commands.
	Keep bool
	// Environ is the shell environment of apps that are new.
	Environ map[string]string
	// UpdateEnv gives Environ to apps that exist, too.
	UpdateEnv bool
}

// Merge makes now hold what file declares, and nothing else of that file: its
// sites are replaced; its apps are added, changed or removed. An app that
// stays keeps its ids and what commands have stopped, has as many slots as it
// declares, and gets a new revision when its program changed (see programOf).
// Sections [host] and [tls] of declared are taken over from whoever had them.
// What other files and commands declared stays; a name that one of them owns
// is a problem that Validate finds. An empty file is standard input: what that
// declares is a command's.
func Merge(now Config, file string, declared Config, o MergeOptions) Config {
	c, declared := now.Clone(), declared.Clone()
	c.Lines = c.Lines.with(declared.Lines)
	keep := o.Keep || len(o.Only) > 0 || file == ""

	if len(o.Only) == 0 {
		c.mergeBox(file, declared)
		c.mergeSites(file, declared.Sites, keep)
	}
	declared.Apps, _ = o.Choose(declared) // who asks has been told what is missing

	// Apps keep their places, so that lists do not jump.
	stays := map[string]bool{}
	for _, a := range declared.Apps {
		stays[a.Name] = true
	}
	if !keep {
		c.Apps = slices.DeleteFunc(c.Apps, func(a apps.Wanted) bool { return a.Source == file && !stays[a.Name] })
		c.restartIDs()
	}
	seen := map[string]bool{}
	for _, a := range declared.Apps {
		i := slices.IndexFunc(c.Apps, func(old apps.Wanted) bool {
			return old.Name == a.Name && (old.Source == file || o.Keep)
		})
		if i < 0 || seen[a.Name] { // declared twice: Validate says so
			c.AddApp(a.Config, file, o.Environ, o.CPUs)
		} else {
			c.Apps[i].Source = file
			c.redeclare(&c.Apps[i], a.Config, o)
		}
		seen[a.Name] = true
	}
	return c
}

// SourceOf is what a file is called as the source of what it declares: empty
// for standard input, which is a file whose last part is "-".
func SourceOf(file string) string {
	if filepath.Base(file) == "-" {
		return ""
	}
	return file
}

// mergeBox makes [host] and [tls] those of the file.
func (c *Config) mergeBox(file string, declared Config) {
	switch {
	case !reflect.ValueOf(declared.Host).IsZero():
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
}

// mergeSites makes the sites of the file these; with keep those that have left
// it stay.
func (c *Config) mergeSites(file string, declared []Site, keep bool) {
	again, closed := map[string]bool{}, map[string]bool{}
	for _, s := range declared {
		again[s.key()] = true
	}
	for _, s := range c.Sites {
		if s.Source == file && s.Closed {
			closed[s.key()] = true
		}
	}
	c.Sites = slices.DeleteFunc(c.Sites, func(s Site) bool { return s.Source == file && (!keep || again[s.key()]) })
	for _, s := range declared {
		s.Source, s.Closed = file, closed[s.key()]
		c.Sites = append(c.Sites, s)
	}
}

// redeclare gives an app of c a new declaration.
func (c *Config) redeclare(app *apps.Wanted, declared apps.Config, o MergeOptions) {
	changed := !reflect.DeepEqual(programOf(app.Config), programOf(declared))
	if o.UpdateEnv && !maps.Equal(app.Environ, o.Environ) {
		app.Environ, changed = o.Environ, true
	}
	app.Config = declared
	if changed {
		app.Revision++
		app.Replace = false
		for i := range app.Slots {
			app.Slots[i].Revision = app.Revision
		}
	}
	c.Resize(app, declared.Instances.Count(o.CPUs))
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
