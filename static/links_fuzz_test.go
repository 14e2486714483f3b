//go:build unix

package static

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
)

// FuzzLinks makes two links to anywhere, $ROOT and $TOP being the folder and
// the one above, and asks for paths through them in each mode. Whatever is
// answered with 200 must be what the kernel finds there, not hidden in the
// folder, and, as the mode says, by way of no link, or inside the folder, or anywhere.
func FuzzLinks(f *testing.F) {
	f.Fuzz(func(t *testing.T, one, two, path string) {
		top := t.TempDir()
		root := filepath.Join(top, "public")
		all := files{
			"secret": "OUTSIDE", "public-too/secret": "OUTSIDE", "public-too/.hidden": "OUTSIDE", "public/.hidden": "HIDDEN", "public/.git/config": "HIDDEN",
			"public/dir/f": "f", "public/dir/.hidden": "HIDDEN", "public/dir/deep/g": "g", "public/h": "h",
		}
		write(t, top, all)
		past := time.Now().Add(-time.Hour) // so that none is waited for
		for name := range all {
			check(t, os.Chtimes(filepath.Join(top, name), past, past))
		}
		places := strings.NewReplacer("$ROOT", root, "$TOP", top)
		modes := []string{linksInside, linksNone, linksFollow}
		for name, to := range map[string]string{"one": one, "two": two} {
			if os.Symlink(places.Replace(to), filepath.Join(root, name)) != nil {
				return // no target that a link can have
			}
		}
		for _, name := range []string{"one", "two"} { // what is elsewhere may be much, and change by itself
			if real, err := filepath.EvalSymlinks(filepath.Join(root, name)); err == nil && !holds(real, top) && !holds(top, real) {
				modes = modes[:2]
				break
			}
		}
		asked := []string{path}
		for _, link := range []string{"/one", "/two", "/dir/one"} {
			asked = append(asked, link, link+path, link+"/f", link+"/secret", link+"/.hidden", link+"/deep/g", link+"/../secret")
		}
		for _, mode := range modes {
			site, err := Open(Config{Root: root, Serving: Serving{Symlinks: mode}}, Options{})
			check(t, err)
			defer site.Close()
			for _, path := range asked {
				if path == "" || path[0] != '/' {
					continue
				}
				w := httplint.Record(t, site, &http.Request{Method: "GET", URL: &url.URL{Path: path}, Header: http.Header{}})
				if w.Code != http.StatusOK {
					continue
				}
				real, err := filepath.EvalSymlinks(filepath.Join(root, path))
				if err != nil {
					t.Fatalf("%s: one -> %q, two -> %q: %q is answered, but the kernel says %v", mode, one, two, path, err)
				}
				content, err := os.ReadFile(real)
				below, inside := strings.CutPrefix(real, root+"/")
				allowed := !strings.Contains(path, "/.")
				switch {
				case inside:
					allowed = allowed && !strings.HasPrefix(below, ".") && !strings.Contains(below, "/.") && (mode != linksNone || real == root+path)
				case mode != linksFollow:
					allowed = false
				}
				if err != nil || !allowed || w.Body.String() != string(content) {
					t.Fatalf("%s: one -> %q, two -> %q: %q is answered with %q, which is at %s: %v", mode, one, two, path, w.Body, real, err)
				}
			}
		}
	})
}
