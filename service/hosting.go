package service

import (
	"fmt"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// hosting is the real host as a box: it tells in the words of the control
// socket what the host tells in its own.
type hosting struct{ *host.Host }

func newHost(o host.Options) (box, error) {
	h, err := host.New(o)
	if err != nil {
		return nil, err
	}
	return hosting{h}, nil
}

func (h hosting) App(name string) program {
	if a := h.Host.App(name); a != nil {
		return a
	}
	return nil // and not an interface around a nil pointer
}

// Apps leaves out an app that has just been added and does not know itself how
// it stands: it has no name yet.
func (h hosting) Apps() []apps.Status {
	var out []apps.Status
	for _, a := range h.Host.Apps() {
		if s := a.Status(); s.Name != "" {
			out = append(out, s)
		}
	}
	return out
}

func (h hosting) Look() look {
	s := h.Status()
	out := look{problems: s.Problems, traffic: map[string]control.Traffic{}}
	for _, l := range s.Listeners {
		e := l.Error
		if e != "" && l.Hint != "" {
			e += ": " + l.Hint
		}
		out.listeners = append(out.listeners, control.Listener{Name: l.Kind, Address: l.Address, Error: e})
	}
	for _, site := range s.Sites {
		row := control.Site{Domains: site.Domains, Default: site.Default, Maintenance: site.Maintenance, Source: site.Source, Traffic: traffic(site.Figures), Targets: []string{}}
		for _, t := range site.Targets {
			to := t.Root
			if t.App != "" {
				to = "app " + apps.ShowName(t.App)
			}
			row.Targets = append(row.Targets, fmt.Sprintf("%s → %s", t.Path, to))
			if row.Problem == "" {
				row.Problem = t.Problem
			}
		}
		out.sites = append(out.sites, row)
	}
	for _, a := range s.Apps {
		if a.Figures.Requests > 0 {
			out.traffic[a.Name] = traffic(a.Figures)
		}
	}
	for _, c := range s.Certificates {
		out.certificates = append(out.certificates, control.Certificate{
			Name: c.Name, OnDemand: c.OnDemand, State: string(c.State), Issuer: c.Issuer, KeyType: c.KeyType,
			Issued: c.NotBefore, Expires: c.Expires, Renews: c.Renews, Error: c.Error, Hint: c.Hint, Tried: c.Tried, Retry: c.Retry,
		})
	}
	return out
}

func traffic(f host.Figures) control.Traffic {
	t := control.Traffic{Requests: f.Requests, PerMinute: f.PerMinute, P50: f.P50, P90: f.P90, P99: f.P99}
	for i, n := range f.Classes {
		if n > 0 {
			if t.Classes == nil {
				t.Classes = map[string]uint64{}
			}
			t.Classes[fmt.Sprintf("%dxx", i+1)] = n
		}
	}
	return t
}
