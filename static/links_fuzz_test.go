//go:build unix

package static

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roost/internal/httplint"
)

// FuzzLinks makes two links to anywhere, $ROOT and $TOP being the folder and
// the one above, and asks for paths through them. Whatever is answered with
// 200 must be what the kernel finds there, inside the folder and not hidden.
func FuzzLinks(f *testing.F) {
	f.Fuzz(func(t *testing.T, one, two, path string) {
		top := t.TempDir()
		root := filepath.Join(top, "public")
		write(t, top, files{
			"secret": "OUTSIDE", "public-too/secret": "OUTSIDE", "public/.hidden": "OUTSIDE", "public/.git/config": "OUTSIDE",
			"public/dir/f": "f", "public/dir/.hidden": "OUTSIDE", "public/dir/deep/g": "g", "public/h": "h",
		})
		places := strings.NewReplacer("$ROOT", root, "$TOP", top)
		for name, to := range map[string]string{"one": one, "two": two} {
			if os.Symlink(places.Replace(to), filepath.Join(root, name)) != nil {
				return // no target that a link can have
			}
		}
		site, err := Open(Config{Root: root}, Options{})
		check(t, err)
		defer site.Close()
		asked := []string{path}
		for _, link := range []string{"/one", "/two", "/dir/one"} {
			asked = append(asked, link, link+path, link+"/f", link+"/secret", link+"/.hidden", link+"/deep/g", link+"/../secret")
		}
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
				t.Fatalf("one -> %q, two -> %q: %q is answered, but the kernel says %v", one, two, path, err)
			}
			below, inside := strings.CutPrefix(real, root+"/")
			content, err := os.ReadFile(real)
			if err != nil || !inside || strings.HasPrefix(below, ".") || strings.Contains(below, "/.") || w.Body.String() != string(content) {
				t.Fatalf("one -> %q, two -> %q: %q is answered with %q, which is at %s: %v", one, two, path, w.Body, real, err)
			}
		}
	})
}
