package host

import (
	"maps"
	"slices"

	"roost/apps"
)

// Clone returns a copy that shares nothing changeable with c.
func (c Config) Clone() Config {
	c.Sites = cloneEach(c.Sites, Site.clone)
	c.Apps = cloneEach(c.Apps, cloneApp)
	c.Host.AccessLog = clonePointer(c.Host.AccessLog)
	c.Lines = maps.Clone(c.Lines) // an Index never changes
	return c
}

func (s Site) clone() Site {
	s.Domains = slices.Clone(s.Domains)
	s.Routes = slices.Clone(s.Routes)
	s.RedirectHTTPS = clonePointer(s.RedirectHTTPS)
	s.AccessLog = clonePointer(s.AccessLog)
	return s
}

func cloneApp(a apps.Wanted) apps.Wanted {
	a.Args = slices.Clone(a.Args)
	a.NodeArgs = slices.Clone(a.NodeArgs)
	a.Env = maps.Clone(a.Env)
	a.Environ = maps.Clone(a.Environ)
	a.StopExitCodes = slices.Clone(a.StopExitCodes)
	a.Heartbeat = clonePointer(a.Heartbeat)
	a.Autostart = clonePointer(a.Autostart)
	a.Autorestart = clonePointer(a.Autorestart)
	a.Slots = slices.Clone(a.Slots)
	return a
}

func cloneEach[T any](s []T, clone func(T) T) []T {
	if s == nil {
		return nil
	}
	out := make([]T, len(s))
	for i, e := range s {
		out[i] = clone(e)
	}
	return out
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
