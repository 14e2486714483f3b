package static

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"roost/internal/httplint"
)

// Folders, files and links exchange their names in one move, so that at no
// moment a name is missing, while files, error pages and listings are asked for.
func TestExchangedLinksNeverLeadWhereTheyMayNot(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{linksInside, linksNone} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			big := strings.Repeat("x", maxInMemory)
			all := files{}
			for dir, whose := range map[string]string{"public/d": "here", "public/d/e": "here", "public/.hid": "HIDDEN", "public/.hid/e": "HIDDEN", "out": "OUTSIDE", "out/e": "OUTSIDE"} {
				all[dir+"/f"], all[dir+"/404.html"] = whose+big, whose
			}
			write(t, top, all)
			past := time.Now().Add(-time.Hour) // so that none is waited for
			for name := range all {
				check(t, os.Chtimes(filepath.Join(top, name), past, past))
			}
			write(t, top, files{
				"public/out": "->../out", "public/hid": "->.hid", "public/abs": "->" + top + "/out", "public/.out": "->../out", "spare": "->public/.hid",
				"public/fhid": "->.hid/f", "public/fout": "->../out/f", "public/page": "->../out/404.html",
			})
			s := newSite(t, Config{Root: filepath.Join(top, "public"), Serving: Serving{Symlinks: mode, Browse: true, Memory: 1}}, nil).run() // all is opened each time
			stop, exchanged := make(chan struct{}), make(chan error, 1)
			go func() { exchanged <- exchange(top, stop) }()
			var asking sync.WaitGroup
			for range 3 {
				asking.Go(func() {
					paths := []string{"/d/f", "/d/e/f", "/d/none", "/d/", "/out/f", "/hid/f", "/abs/f", "/fhid", "/fout", "/d/404.html"}
					for n := range 100 * len(paths) {
						r := httptest.NewRequest("GET", paths[n%len(paths)], nil)
						r.Header.Set("Accept", "text/html")
						w := httplint.Record(t, s, r)
						if body := w.Body.String(); strings.Contains(body, "HIDDEN") || strings.Contains(body, "OUTSIDE") {
							t.Errorf("%s leads to %.10q", r.URL.Path, body)
							return
						}
					}
				})
			}
			asking.Wait()
			close(stop)
			check(t, <-exchanged)
			s.shows("/d/e/f", 200, "here"+big)
		})
	}
}

// exchange goes on until stop, and leaves all as it was.
func exchange(top string, stop chan struct{}) error {
	for {
		for _, pair := range [][2]string{
			{"d", "out"}, {"d", "hid"}, {"d", "abs"}, {"d", ".out"}, {"d", "../spare"}, {"d/e", "hid"}, {"d/e", "out"}, {"d/f", "fhid"}, {"d/f", "fout"}, {"d/404.html", "page"},
		} {
			for range 2 {
				err := unix.Renameat2(unix.AT_FDCWD, filepath.Join(top, "public", pair[0]), unix.AT_FDCWD, filepath.Join(top, "public", pair[1]), unix.RENAME_EXCHANGE)
				if err != nil {
					return err
				}
			}
		}
		select {
		case <-stop:
			return nil
		default:
		}
	}
}
