package static

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roost/internal/testcache"

	"roost/internal/httplint"
)

// TestPagesAreAnsweredAsByCloudflare asks Cloudflare's own code, for each mode
// and each choice of up to three of the files below, what it answers.
func TestPagesAreAnsweredAsByCloudflare(t *testing.T) {
	t.Parallel()
	names := []string{
		"/index.html", "/a", "/a.html", "/a/index.html", "/a/index", "/a/b", "/a.html.html", "/index", "/index.html.html", "/index/index.html", "/404.html", "/a/404.html",
	}
	paths := []string{
		"/", "/index", "/index/", "/index.html", "/index.html/", "/index.html.html", "/index/index", "/index/index.html", "/index/index/",
		"/a", "/a/", "/a.html", "/a.html/", "/a.html.html", "/a/index", "/a/index/", "/a/index.html", "/a/index.html/", "/a/b", "/a/b.html", "/a/b/", "/a/none",
		"/404", "/404/", "/404.html", "/none", "/none.html", "/none/", "/none/index.html", "/a?x=/b", "/a.html?x=%2f",
	}
	type question struct {
		Mode  string   `json:"mode"`
		Files []string `json:"files"`
		Paths []string `json:"paths"`
	}
	var all []question
	for _, chosen := range choices(names, 3) {
		if slices.Contains(chosen, "/a") && slices.ContainsFunc(chosen, below("/a/")) ||
			slices.Contains(chosen, "/index") && slices.ContainsFunc(chosen, below("/index/")) {
			continue // no file is a folder as well
		}
		for _, mode := range []string{autoTrailingSlash, forceTrailingSlash, dropTrailingSlash, exactPaths} {
			all = append(all, question{mode, chosen, paths})
		}
	}
	asked, err := json.Marshal(all)
	check(t, err)
	worker := filepath.Join(testcache.NPM(t, "testdata/npm"), "node_modules/@cloudflare/workers-shared/dist/asset-worker.mjs")
	cmd := exec.CommandContext(t.Context(), "node", "testdata/cloudflare.mjs", worker)
	cmd.Stdin = strings.NewReader(string(asked))
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v (apt-get install nodejs): %s", err, &words)
	}
	var theirs [][]string
	check(t, json.Unmarshal(out, &theirs))
	old := time.Now().Add(-time.Hour)
	for i, q := range all {
		root := t.TempDir()
		for _, name := range q.Files {
			write(t, root, files{name: name})
			check(t, os.Chtimes(root+name, old, old)) // no request waits for it to rest
		}
		f, err := Open(Config{Root: root, Serving: Serving{HTMLHandling: q.Mode}}, Options{Error: func(w http.ResponseWriter, _ *http.Request, status int) {
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(status)
		}})
		check(t, err)
		for j, path := range q.Paths {
			want := theirs[i][j]
			if file, slash := strings.CutSuffix(path, "/"); slash && q.Mode != exactPaths && slices.Contains(q.Files, file) && strings.HasPrefix(want, "404") {
				continue // a slash after a file's name: we lead to the file
			}
			u, err := url.ParseRequestURI(path)
			check(t, err)
			w := httplint.Record(t, f, &http.Request{Method: "GET", URL: u, Header: http.Header{}})
			got := strings.TrimSpace(http.StatusText(w.Code) + " " + w.Header().Get("Location") + w.Body.String())
			want = strings.NewReplacer("200", "OK", "307", http.StatusText(http.StatusPermanentRedirect), "404", http.StatusText(http.StatusNotFound)).Replace(want[:3]) + want[3:]
			if got != want {
				t.Errorf("%s %v: %s: %s, theirs %s", q.Mode, q.Files, path, got, want)
			}
		}
		check(t, f.Close())
	}
}

func below(folder string) func(string) bool {
	return func(name string) bool { return strings.HasPrefix(name, folder) }
}

// choices are all choices of up to n of the names.
func choices(names []string, n int) (all [][]string) {
	all = [][]string{{}}
	for i, name := range names {
		if n > 0 {
			for _, rest := range choices(names[i+1:], n-1) {
				all = append(all, append([]string{name}, rest...))
			}
		}
	}
	return all
}
