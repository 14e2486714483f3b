package host

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"roost/apps"
	"roost/internal/unit"
	"roost/tls"
)

// Validate finds everything that is wrong with a Config, in all its files, and
// looks at what can be seen on the disk: folders, scripts, interpreters.
func Validate(c Config) []Problem {
	v := validator{config: c}
	v.host()
	v.tls()
	v.sites()
	v.apps()
	v.depends()
	return sortProblems(v.problems)
}

// NewProblems are the problems of new that old did not have: those that a
// change must answer for. What broke by itself since, a folder that was
// deleted say, does not stand in the way of another app's change.
func NewProblems(old, new Config) []Problem {
	had := map[string]int{}
	for _, p := range Validate(old) {
		had[p.What]++
	}
	return slices.DeleteFunc(Validate(new), func(p Problem) bool {
		had[p.What]--
		return had[p.What] >= 0
	})
}

type validator struct {
	config   Config
	problems []Problem
}

// place is where a thing of the config was written.
type place struct {
	file  string
	index *Index
	path  string // "site.0"
	name  string // how messages call it
	n     int    // which of the Config's sites or apps
}

func (v *validator) place(source, path, name string) place {
	return place{file: source, index: v.config.Lines[source], path: path, name: name}
}

func (p place) line(key string) int { return p.index.line(join(p.path, key)) }

func (p place) String() string {
	if p.file == "" {
		return "a command"
	}
	if n := p.line(""); n > 0 {
		return fmt.Sprintf("%s:%d", p.file, n)
	}
	return p.file
}

// report adds a problem at a key of p. It keeps quiet about a value that could
// not be read and, where keys could not be read, about what is missing beside
// them: Parse has said what is wrong there.
func (v *validator) report(p place, key, what, hint string) {
	if p.index.spoils(p.path, key) {
		return
	}
	if p.name != "" {
		what = p.name + ": " + what
	}
	v.problems = append(v.problems, Problem{File: p.file, Line: p.line(key), What: what, Hint: hint})
}

func (v *validator) host() {
	h := v.config.Host
	at := v.place(h.Source, "host", "")
	addresses := map[string]string{}
	for _, a := range []struct{ key, address string }{{"http", h.HTTP}, {"https", h.HTTPS}} {
		if a.address == "" || a.address == "off" {
			continue
		}
		if what, hint := checkAddress(a.address); what != "" {
			v.report(at, a.key, a.key+" = "+strconv.Quote(a.address)+": "+what, hint)
			continue
		}
		if other, taken := addresses[a.address]; taken && !strings.HasSuffix(a.address, ":0") {
			v.report(at, a.key, fmt.Sprintf("%s and %s have the same address %q", other, a.key, a.address), "give each a port of its own")
		}
		addresses[a.address] = a.key
	}
	for _, d := range []struct {
		key   string
		value unit.Duration
	}{{"idle_timeout", h.IdleTimeout}, {"header_timeout", h.HeaderTimeout}, {"progress_timeout", h.ProgressTimeout}} {
		if d.value != 0 && time.Duration(d.value) < time.Second {
			v.report(at, d.key, fmt.Sprintf("%s = %v would cut off honest clients", d.key, d.value), `want at least a second; a plain number is milliseconds, write "30s"`)
		}
	}
	v.networks(at, "trusted_proxies", h.TrustedProxies)
	v.connections(h, at)
	if h.HTTP == "off" && h.HTTPS == "off" {
		v.report(at, "https", "both http and https are off", "leave one of them on")
	}
	if _, what, hint := newLogFormat(h.AccessLogFormat, nil); what != "" {
		v.report(at, "access_log_format", what, hint)
	}
	if h.AccessLogRedact != nil {
		v.redaction(*h.AccessLogRedact, at)
	}
}

// connections looks at HTTP/3 and at how many connections there may be.
func (v *validator) connections(h Listen, at place) {
	if h.HTTP3 && h.HTTPS == "off" {
		v.report(at, "http3", "http3 = true, and https is off", "HTTP/3 is announced by https: leave that on, or http3 out")
	}
	for _, n := range []struct {
		key   string
		value int
	}{{"max_connections", h.MaxConnections}, {"max_connections_per_client", h.MaxConnectionsPerClient}} {
		if n.value < 0 {
			v.report(at, n.key, fmt.Sprintf("%s = %d: not a number of connections", n.key, n.value), "want at least 1, or leave it out")
		}
	}
	if most := openFiles(); h.MaxConnections > most {
		v.report(at, "max_connections", fmt.Sprintf("max_connections = %d, and the system allows %d open files", h.MaxConnections, most), "raise the limit (LimitNOFILE= in the unit, ulimit -n in a shell), or want fewer")
	}
	if h.MaxConnections > 0 && h.MaxConnectionsPerClient > h.MaxConnections {
		v.report(at, "max_connections_per_client", fmt.Sprintf("max_connections_per_client = %d is more than max_connections = %d", h.MaxConnectionsPerClient, h.MaxConnections), "want fewer for one client than there are in all")
	}
}

// checkAddress looks at a listening address: a port with an optional IP
// address or "localhost" before it.
func checkAddress(address string) (what, hint string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		if _, err := strconv.Atoi(address); err == nil {
			return "a port needs a colon before it", fmt.Sprintf("write %q", ":"+address)
		}
		return "not a listening address", `write ":8080", "127.0.0.1:8080", "[::1]:8080" or "off"`
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "not a port", "want a number up to 65535"
	}
	if host != "" && host != "localhost" && net.ParseIP(strings.SplitN(host, "%", 2)[0]) == nil {
		return "not an address of this box", "write an IP address, or none for all"
	}
	return "", ""
}

func (v *validator) tls() {
	at := v.place(v.config.TLSSource, "tls", "")
	for _, c := range tls.ValidateConfig(v.config.TLS) {
		v.report(at, c.Key, c.What, c.Hint)
	}
}

func (v *validator) apps() {
	owner := map[string]place{}
	ports := map[int]string{}
	places := v.appPlaces()
	for i, a := range v.config.Apps {
		at := places[i]
		if first, taken := owner[a.Name]; taken && a.Name != "" {
			what := fmt.Sprintf("declared twice, first by %s", first)
			hint := "choose another name"
			if first.file != at.file {
				what = fmt.Sprintf("the name belongs to an app that %s declares", first)
				hint = "choose another name, or remove that app first"
			}
			v.report(at, "name", what, hint)
		}
		owner[a.Name] = at
		for _, c := range apps.Validate(a) {
			v.report(at, c.Key, c.What, c.Hint)
		}
		if other, taken := ports[a.Port]; taken && a.Port != 0 && other != a.Name {
			v.report(at, "port", fmt.Sprintf("port %d is that of app %s", a.Port, apps.ShowName(other)), "give each app a port of its own")
		}
		ports[a.Port] = a.Name
		for key, address := range map[string]string{"http": v.config.Host.HTTP, "https": v.config.Host.HTTPS} {
			if _, port, err := net.SplitHostPort(address); err == nil && a.Port != 0 && port == strconv.Itoa(a.Port) {
				v.report(at, "port", fmt.Sprintf("port %d is that of the host's %s", a.Port, key), "requests reach an app through its site; give it a port of its own, or none")
			}
		}
	}
}

// appPlaces and sitePlaces find where each app and site was written: the k-th
// of a name among those of a file is the k-th of that name in the file.
func (v *validator) appPlaces() []place {
	places := make([]place, len(v.config.Apps))
	seen := map[[2]string]int{}
	for i, a := range v.config.Apps {
		key := [2]string{a.Source, a.Name}
		path := v.config.Lines[a.Source].find("app", a.Name, seen[key])
		seen[key]++
		places[i] = v.place(a.Source, path, appName(a.Name))
		places[i].n = i
	}
	return places
}

func (v *validator) sitePlaces() []place {
	places := make([]place, len(v.config.Sites))
	seen := map[[2]string]int{}
	for i, s := range v.config.Sites {
		key := [2]string{s.Source, s.key()}
		path := v.config.Lines[s.Source].find("site", key[1], seen[key])
		seen[key]++
		places[i] = v.place(s.Source, path, "site "+s.Name())
		places[i].n = i
	}
	return places
}

func appName(name string) string {
	if name == "" {
		return "app without a name"
	}
	return "app " + apps.ShowName(name)
}

// isFolder says what is wrong with a folder that must exist.
func isFolder(name string) (what, hint string) {
	switch info, err := os.Stat(name); {
	case err != nil && os.IsNotExist(err):
		return fmt.Sprintf("the folder %s does not exist", name), "create it, or correct the path"
	case err != nil:
		return fmt.Sprintf("cannot read the folder %s", name), err.Error()
	case !info.IsDir():
		return fmt.Sprintf("%s is not a folder", name), "name the folder that holds the files"
	}
	return "", ""
}
