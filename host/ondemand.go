package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"roost/tls"
)

// demand is what the site says of names that it answers and nobody lists; ok is false when it says nothing.
func (s *Site) demand() (d tls.Demand, ok bool) {
	if s.OnDemand == nil {
		return d, false
	}
	d = tls.Demand{OnDemand: *s.OnDemand, Issuer: s.Issuer}
	for _, domain := range s.Domains {
		if name, _ := canonicalDomain(domain); strings.HasPrefix(name, "*.") {
			d.Names = append(d.Names, name)
		}
	}
	if s.Default || len(s.Domains) == 0 {
		d.Names = append(d.Names, "*")
	}
	if strings.HasPrefix(d.Ask, "/") {
		d.App, d.Ask = s.asked(d.Ask)
	}
	return d, true
}

// asked is the app that a path of the site leads to, and the path as that sees
// it; empty when it leads to none.
func (s *Site) asked(ask string) (app, target string) {
	path, query, _ := strings.Cut(ask, "?")
	if query != "" {
		query = "?" + query
	}
	longest := ""
	app, target = s.App, ask
	for _, r := range s.Routes {
		prefix := strings.TrimSuffix(r.Path, "/")
		if !covers(prefix, path) || len(prefix) < len(longest) {
			continue
		}
		longest, app, target = prefix, r.App, ask
		if rest := path[len(prefix):]; r.StripPrefix && rest != "" {
			target = rest + query
		}
	}
	return app, target
}

// askApp asks an app whether a domain may have a certificate, as a client of
// that domain would, but past all that stands before the app.
func (h *Host) askApp(ctx context.Context, name, target, domain string) (status int, err error) {
	app := h.App(name)
	if app == nil {
		return 0, errors.New("there is no such app")
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return 0, err
	}
	r := (&http.Request{
		Method: http.MethodGet, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: domain, Body: http.NoBody,
		Header: http.Header{"User-Agent": {"roost"}}, RemoteAddr: "127.0.0.1:0", RequestURI: target, TLS: tls.Elsewhere,
	}).WithContext(ctx)
	a := statusOnly{header: http.Header{}}
	defer func() {
		if failure := recover(); failure != nil && failure != http.ErrAbortHandler {
			panic(failure)
		}
		if status, err = a.status, nil; status == 0 {
			err = errors.New("no answer")
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}()
	app.ServeHTTP(&a, r)
	return a.status, nil
}

// statusOnly takes the status of an answer, and enough of its body for the
// connection to be of use again.
type statusOnly struct {
	header http.Header
	status int
	taken  int
}

const mostTaken = 64 << 10

func (a *statusOnly) Header() http.Header { return a.header }

func (a *statusOnly) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
}

func (a *statusOnly) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.taken += len(p); a.taken > mostTaken {
		return 0, errors.New("the answer is too long")
	}
	return len(p), nil
}

// onDemand looks at on_demand. demanded has the site that says it for a domain.
func (v *validator) onDemand(s *Site, at place, demanded map[string]int) {
	here := at
	here.path = join(at.path, "on_demand")
	for _, c := range tls.ValidateOnDemand(s.OnDemand) {
		v.report(here, c.Key, c.What, c.Hint)
	}
	d, ok := s.demand()
	if !ok {
		return
	}
	switch {
	case len(d.Names) == 0:
		v.report(at, "on_demand", "on_demand is for names that nobody lists, and the site lists all of its own", `leave out domains, or on_demand; or write "*.example.com" among them`)
	case s.Cert != "":
		v.report(at, "on_demand", "no CA is asked where a site brings its certificate", "remove on_demand, or cert and key")
	case v.config.Host.HTTPS == "off":
		v.report(at, "on_demand", "certificates are got in handshakes, and https is off", "leave https on, or on_demand out")
	}
	if strings.HasPrefix(s.OnDemand.Ask, "/") && d.App == "" {
		v.report(here, "ask", fmt.Sprintf("%s leads to no app of the site", s.OnDemand.Ask), "name a path that one answers, or the URL of a service")
	}
	for i, domain := range s.Domains {
		name, _ := canonicalDomain(domain)
		if !strings.HasPrefix(name, "*.") {
			continue
		}
		first, taken := demanded[name]
		if !taken {
			demanded[name] = at.n
		} else if other, _ := v.config.Sites[first].demand(); !reflect.DeepEqual(other.OnDemand, d.OnDemand) {
			v.report(at, join("domains", strconv.Itoa(i)), "another site of "+name+" has another on_demand", "a name has one certificate: write the same, or leave it out of one of the sites")
		}
	}
}
