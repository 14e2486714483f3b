package host

import (
	"net/http"
	"strings"
)

// lookalike stands before requests that lead to an app by one route while the
// app may take them for paths of another route to it, one that has a lock:
// "/ADMIN/x" is "/admin/x" to Express, "/admin;a/x" and "/open/..;/admin/x" to
// Java, "\admin\x" to Windows. They meet what stands before that one as well. A
// folder reads a path in one way only, that of the look-up.
type lookalike struct {
	prefix string // folded
	protection
	target http.Handler // of the route that was chosen, behind the other's lock; nil: nothing more is asked
}

// addLookalikes finds them among the routes of d, which are sorted.
func (d *domain) addLookalikes(ls *locks) {
	for i := range d.routes {
		to := &d.routes[i]
		if to.app == nil {
			continue
		}
		var all []lookalike
		asks := false
		for j := range d.routes {
			other := &d.routes[j]
			if other.name != to.name {
				continue
			}
			l := lookalike{prefix: fold(other.prefix), protection: other.protection}
			if also := other.but(to.lock); j != i && (other.addresses != nil || other.bandwidth != nil || also != (lock{})) {
				l.target, asks = ls.before(to.target, nil, also), true
			}
			all = append(all, l)
		}
		if asks {
			to.lookalikes = all
		}
	}
}

// lookalike finds the one for a path, that of the longest prefix; nil mostly.
func (to *route) lookalike(path string) *lookalike {
	if len(to.lookalikes) == 0 {
		return nil
	}
	folded := fold(path)
	for i, l := range to.lookalikes {
		if covers(strings.TrimSuffix(l.prefix, "/"), folded) {
			if l.target == nil {
				return nil
			}
			return &to.lookalikes[i]
		}
	}
	return nil
}

// openTo says whether what lies at path may be the answer to the request of w,
// which was let through to another path of the same folder: whether another
// route's lock would have let it through as well. Folders' rules ask.
func openTo(w http.ResponseWriter, path string) bool {
	x := exchangeOf(w)
	if x == nil || x.to == nil {
		return true
	}
	other := x.routes.route(cleanPath(path))
	return other == nil || other.addresses.admit(clientAddr(x.request)) && other.but(x.to.lock) == lock{}
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
