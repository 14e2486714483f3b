package static

import (
	"strings"
	"unsafe"
)

// The ways of Serving.HTMLHandling: at which of its possible paths a page is served. The first four
// are Cloudflare's, by name and in effect; the others lead there by a redirect.
//
//	                       page.html    dir/index.html
//	auto-trailing-slash    /page        /dir/
//	force-trailing-slash   /page/       /dir/
//	drop-trailing-slash    /page        /dir
//	none                   /page.html   /dir/index.html
//	plain                  /page.html   /dir/ and /dir/index.html, as with nginx, Caddy and PM2
const (
	autoTrailingSlash  = "auto-trailing-slash"
	forceTrailingSlash = "force-trailing-slash"
	dropTrailingSlash  = "drop-trailing-slash"
	exactPaths         = "none"

	// PlainPaths serves files at their own paths, and index.html at that of its folder too.
	PlainPaths = "plain"
)

var htmlHandlings = []string{autoTrailingSlash, forceTrailingSlash, dropTrailingSlash, exactPaths, PlainPaths}

const indexFile = "/index.html"

// found is what a path leads to: at most one field is set.
type found struct {
	asset    *asset
	redirect string // another path of the folder, which leads to an asset or a listing
	list     bool   // a folder to be listed
}

// lookup says what a path leads to. The path is decoded once, by net/url; it
// is never decoded or resolved again. Whatever it leads to is in the table, so
// a redirect can name nothing but a path of the folder.
func (t *table) lookup(mode string, browse bool, path string) found {
	if strings.Contains(path, "//") {
		single := collapse(path)
		to := t.lookup(mode, browse, single)
		if to.asset != nil || to.list {
			return found{redirect: single}
		}
		return to
	}
	to := t.page(mode, path)
	if to.asset != nil || !browse && to.redirect != "" {
		return to
	}
	bare, slash := strings.CutSuffix(path, "/")
	switch {
	case browse && slash && t.dir(path) != nil && (mode == exactPaths || t.asset(path) == nil):
		return found{list: true}
	case to.redirect != "":
		return to
	case browse && !slash && t.dir(path+"/") != nil:
		return found{redirect: path + "/"}
	case slash && mode != exactPaths && t.file(bare) != nil: // "/file.txt/", "/page.html/"
		if to = t.page(mode, bare); to.asset != nil {
			return found{redirect: bare}
		}
	}
	return to
}

// page is lookup for files alone.
func (t *table) page(mode, path string) found {
	if mode == PlainPaths {
		if a := t.asset(path); a != nil || t.at(path, "/") == nil {
			return found{asset: a}
		}
		return found{redirect: path + "/"}
	}
	exact := t.file(path)
	if mode == exactPaths {
		return found{asset: exact}
	}
	base, index := strings.CutSuffix(path, indexFile)
	html := index
	if !html {
		base, html = strings.CutSuffix(path, ".html")
	}
	switch {
	case html && exact != nil:
		if to := t.canonical(mode, base, exact, index); to != "" {
			return found{redirect: to}
		}
		return found{asset: exact} // its path is another page's
	case exact != nil:
		return found{asset: exact}
	case html:
	default:
		if base, index = strings.CutSuffix(path, "/index"); index {
			break
		}
		if a := t.served(mode, path); a != nil {
			return found{asset: a}
		}
		base = strings.TrimSuffix(path, "/")
	}
	// The page may be there by another of its paths.
	if to := t.leads(mode, base); to != "" {
		return found{redirect: to}
	}
	if a := t.served(mode, path); a != nil { // "/x.html" is x.html.html, "/dir/index" dir/index.html
		return found{asset: a}
	}
	return found{redirect: t.leads(mode, path)}
}

// leads returns the path of the page called base, be it base/index.html or base.html.
func (t *table) leads(mode, base string) string {
	if a := t.at(base, indexFile); a != nil {
		if to := t.canonical(mode, base, a, true); to != "" {
			return to
		}
	}
	if a := t.at(base, ".html"); a != nil {
		return t.canonical(mode, base, a, false)
	}
	return ""
}

// canonical returns the path that a, the page called base, is served at; "" if
// something else is served there.
func (t *table) canonical(mode, base string, a *asset, index bool) string {
	to := base
	if base == "" || mode == forceTrailingSlash || mode == autoTrailingSlash && index {
		to = base + "/"
	}
	if t.served(mode, to) != a {
		return ""
	}
	return to
}

// served returns what is answered at path without a redirect.
func (t *table) served(mode, path string) *asset {
	if bare, slash := strings.CutSuffix(path, "/"); slash {
		if path != "/" && mode == dropTrailingSlash {
			return nil
		}
		if a := t.asset(path); a != nil || mode != forceTrailingSlash {
			return a
		}
		return t.at(bare, ".html")
	}
	if a := t.asset(path); a != nil || mode == forceTrailingSlash {
		return a
	}
	if a := t.at(path, ".html"); a != nil || mode != dropTrailingSlash {
		return a
	}
	return t.at(path, indexFile)
}

// file returns the file of exactly that path.
func (t *table) file(path string) *asset {
	if strings.HasSuffix(path, "/") {
		return nil
	}
	return t.asset(path)
}

// at returns the asset at path+suffix, of which it makes no string: this is
// on the way of every page at a clean URL.
func (t *table) at(path, suffix string) *asset {
	var room [maxSegment + 1]byte
	key := append(append(room[:0], path...), suffix...)
	return t.asset(unsafe.String(&key[0], len(key)))
}

// collapse makes one slash of several.
func collapse(path string) string {
	b := make([]byte, 0, len(path))
	for i := range len(path) {
		if path[i] != '/' || len(b) == 0 || b[len(b)-1] != '/' {
			b = append(b, path[i])
		}
	}
	return string(b)
}
