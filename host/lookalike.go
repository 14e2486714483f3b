package host

import (
	"net/http"
	"strings"
)

// lookalike stands before requests that lead to an app by one route while the
// app may take them for paths of another route to it, one that asks who it is:
// "/ADMIN/x" is "/admin/x" to Express, "/admin;a/x" to Java, "\admin\x" to
// Windows. They meet what stands before that one as well. A folder reads a path
// in one way only, that of the look-up.
type lookalike struct {
	prefix string // folded
	protection
	target http.Handler // of the route that was chosen, behind what asks
}

// addLookalikes finds them among the routes of d, which are sorted.
func (d *domain) addLookalikes(g *guards) {
	for i := range d.routes {
		to := &d.routes[i]
		for _, locked := range d.routes[:i] { // longer prefixes
			if to.app == nil || locked.name != to.name || locked.addresses == nil && len(locked.asks) == 0 {
				continue
			}
			to.lookalikes = append(to.lookalikes, lookalike{
				prefix: fold(locked.prefix), protection: locked.protection,
				target: g.echoes.before(to.target, locked.asks...),
			})
		}
	}
}

// lookalike finds the one for a path; nil mostly.
func (to *route) lookalike(path string) *lookalike {
	if len(to.lookalikes) == 0 {
		return nil
	}
	folded := fold(path)
	for i, l := range to.lookalikes {
		if strings.HasPrefix(folded, l.prefix) && (len(folded) == len(l.prefix) || folded[len(l.prefix)] == '/') {
			return &to.lookalikes[i]
		}
	}
	return nil
}

// fold brings a path into the form of all that some program may take for the
// same: one case, slashes only, no parameters of segments.
func fold(path string) string {
	path = strings.ToLower(strings.ToUpper(strings.ReplaceAll(path, `\`, "/")))
	segments := strings.Split(path, "/")
	for i, s := range segments {
		s, _, _ = strings.Cut(s, ";")
		if strings.Trim(s, ".") != "" {
			s = strings.TrimRight(s, " .")
		}
		segments[i] = s
	}
	return cleanPath(strings.Join(segments, "/"))
}
