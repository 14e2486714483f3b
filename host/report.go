package host

import (
	"fmt"
	"slices"
	"strings"

	"roost/apps"
	"roost/tls"
)

// Status is a copy of how the host stands.
type Status struct {
	Listeners    []Listener        `json:"listeners"`
	Sites        []SiteStatus      `json:"sites"`
	Apps         []AppStatus       `json:"apps"`
	Certificates []tls.Certificate `json:"certificates"`
	// Unknown counts requests for domains that no site answers.
	Unknown Figures `json:"unknown"`
	// Connections are how many are open, by kind of listener.
	Connections map[string]int `json:"connections"`
	// Refused counts requests that were malformed or tried to smuggle another.
	Refused uint64 `json:"refused"`
	// Accepted counts connections since the program started, TurnedAway those that there was no room for.
	Accepted   uint64 `json:"accepted"`
	TurnedAway uint64 `json:"turned_away"`
	// AcceptFailures counts how often the system had none to give, mostly for want of open files.
	AcceptFailures uint64 `json:"accept_failures"`
	// AccessLogLost is how many lines the access log has lost.
	AccessLogLost uint64 `json:"access_log_lost"`
	// Problems are what a person should look at, in words.
	Problems []string `json:"problems"`
}

// Listener is a place where the host takes requests, or should.
type Listener struct {
	Kind string `json:"kind"` // "http", "https" or "http3"
	// Address is what is bound, such as "[::]:8080"; what is wanted when nothing is.
	Address string `json:"address"`
	Bound   bool   `json:"bound"`
	// Error says why it is not bound, or still to its old address; Hint what to do.
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// SiteStatus is how a site stands.
type SiteStatus struct {
	Name    string   `json:"name"`
	Domains []string `json:"domains"`
	Default bool     `json:"default,omitempty"`
	// Maintenance says that it answers 503 to everything.
	Maintenance bool `json:"maintenance,omitempty"`
	// Targets are where its paths lead, longest last.
	Targets []TargetStatus `json:"targets"`
	Source  string         `json:"source,omitempty"`
	Figures
}

// TargetStatus is where one path of a site leads.
type TargetStatus struct {
	Path    string `json:"path"`
	Root    string `json:"root,omitempty"`
	App     string `json:"app,omitempty"`
	Problem string `json:"problem,omitempty"` // why it does not answer
}

// AppStatus is how an app stands and what came of the requests to it.
type AppStatus struct {
	apps.Status
	Figures
}

// Status reports how everything stands. CPU and memory are those of the last
// Measure.
func (h *Host) Status() Status {
	v := h.look()
	s := Status{
		Listeners: []Listener{}, Sites: []SiteStatus{}, Apps: []AppStatus{}, Problems: []string{},
		Certificates: h.certs.Status(), Unknown: h.front.unknown.snapshot(),
		Connections: h.conns.count(), AccessLogLost: h.access.lost.Load(), Refused: h.conns.refused.Load(), Accepted: h.conns.taken.Load(), TurnedAway: h.conns.turned.Load(), AcceptFailures: h.conns.failed.Load(),
	}
	problem := func(format string, args ...any) { s.Problems = append(s.Problems, fmt.Sprintf(format, args...)) }
	for _, kind := range [...]string{"http", "https", "http3"} {
		address, bound := v.bound[kind]
		e := v.failed[kind]
		if !bound && e == nil {
			continue
		}
		l := Listener{Kind: kind, Address: address, Bound: bound}
		if e != nil {
			l.Error, l.Hint = e.Error(), e.Hint()
			problem("%s: %s", l.Error, l.Hint)
			if !bound {
				l.Address = e.Address
			}
		}
		s.Listeners = append(s.Listeners, l)
	}
	for i := range v.config.Sites {
		site := &v.config.Sites[i]
		status := v.site(site)
		for _, t := range status.Targets {
			if t.Problem != "" {
				problem("site %s: %s", status.Name, t.Problem)
			}
		}
		s.Sites = append(s.Sites, status)
	}
	for _, a := range v.config.Apps {
		if p := v.programs[a.Name]; p != nil {
			status := p.app.Status()
			if status.LogProblem != "" {
				problem("app %s: %s: make room; lines wait meanwhile, and are lost when they are too many", apps.ShowName(a.Name), status.LogProblem)
			}
			if status.Problem != "" {
				problem("app %s: %s", apps.ShowName(a.Name), status.Problem)
			}
			s.Apps = append(s.Apps, AppStatus{status, p.figures.snapshot()})
		}
	}
	if p := h.certs.StorageProblem(); p != "" {
		problem("%s", p)
	}
	for _, c := range s.Certificates {
		if c.Problem != "" {
			problem("%s", c.Problem)
		}
	}
	if d := h.certs.OnDemand(); d != nil {
		for _, what := range d.Problems {
			problem("certificates on demand: %s: new names are refused until it answers; those that have a certificate are served", what)
		}
	}
	if n := s.AccessLogLost; n > 0 {
		problem("the access log has lost %s: see whether its disk is full or slow", count(int(n), "line"))
	}
	return s
}

func (v view) site(s *Site) SiteStatus {
	status := SiteStatus{Name: s.Name(), Domains: slices.Clone(s.Domains), Default: s.Default, Maintenance: s.maintenance() != nil, Source: s.Source}
	if status.Domains == nil {
		status.Domains = []string{}
	}
	if f := v.sites[s.Name()]; f != nil {
		status.Figures = f.snapshot()
	}
	add := func(path string, t *Target) {
		if t.Root == "" && t.App == "" {
			return
		}
		to := TargetStatus{Path: path, Root: t.Root, App: t.App}
		if t.App != "" && v.programs[t.App] == nil {
			to.Problem = fmt.Sprintf("there is no app %q", t.App)
		}
		if f := v.folders[t]; f != nil {
			if err := f.problem(); err != nil {
				to.Problem = err.Error()
			}
		}
		status.Targets = append(status.Targets, to)
	}
	add("/", &s.Target)
	for j := range s.Routes {
		add(s.Routes[j].Path, &s.Routes[j].Target)
	}
	slices.SortStableFunc(status.Targets, func(a, b TargetStatus) int {
		return strings.Compare(a.Path, b.Path)
	})
	return status
}
