package cli

import (
	"net"
	"slices"
	"strings"

	"roost/service/control"
)

// address is a URL that somebody may open, and where it leads.
type address struct {
	url    string
	target string
}

// addresses are the URLs of every site: over https where that is listened on,
// else over http. A site that answers every name has that of localhost.
func addresses(listeners []control.Listener, sites []control.Site) []address {
	scheme, port := "", ""
	for _, name := range []string{"https", "http"} {
		i := slices.IndexFunc(listeners, func(l control.Listener) bool { return l.Name == name && l.Error == "" })
		if i < 0 {
			continue
		}
		if _, p, err := net.SplitHostPort(listeners[i].Address); err == nil {
			scheme, port = name, p
			break
		}
	}
	if scheme == "" {
		return nil
	}
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		port = ""
	} else {
		port = ":" + port
	}
	var all []address
	for _, s := range sites {
		domains := s.Domains
		if len(domains) == 0 {
			domains = []string{"localhost"}
		}
		for _, d := range domains {
			for _, target := range s.Targets {
				path, leads, _ := strings.Cut(target, " → ")
				all = append(all, address{scheme + "://" + d + port + path, leads})
			}
		}
	}
	return all
}

// openAt prints the addresses of the sites, on stderr.
func (c *console) openAt(all []address) {
	t := &table{}
	for _, a := range all {
		t.add(cell{"  " + a.url, styleBold}, cell{a.target, styleFaint})
	}
	paint := func(_, text string) string { return text }
	if c.live && c.colour {
		paint = c.paint
	}
	_ = t.write(c.err, paint) // words for people: nothing can be done about a stderr that is gone
}
