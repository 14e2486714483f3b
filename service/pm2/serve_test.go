package pm2

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"roost/internal/testport"
)

func freePort(t *testing.T) string { return strconv.Itoa(testport.Free(t)) }

func TestServeServesAFolderOnAPort(t *testing.T) {
	t.Parallel()
	work, run := newHome(t)
	for name, text := range map[string]string{"index.html": "<p>home", "a.txt": "text", ".env": "SECRET"} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open, closed := freePort(t), freePort(t)
	out, err := run("serve", ".", open, "--spa")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"[PM2] Serving " + work + " on port " + open, "static-page-server-" + open} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if _, err := run("serve", "--port", closed, "--name", "private", "--basic-auth-username", "ann", "--basic-auth-password", "a:b"); err != nil {
		t.Fatal(err)
	}
	listed, bare := freePort(t), freePort(t)
	file := filepath.Join(work, "ecosystem.config.js")
	if err := os.WriteFile(file, []byte(`module.exports = {
		apps: [{ script: "serve", instances: 2, env: { PM2_SERVE_PATH: ".", PM2_SERVE_HOMEPAGE: "/a.txt" }, env_production: { PM2_SERVE_PORT: `+listed+` } }],
		static: [{ name: "bare", port: `+bare+`, host: "127.0.0.1", basic_auth: { username: "ann", password: "b" } }],
	}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"start", "reload", "restart"} {
		if _, err := run(verb, file, "--env", "production"); err != nil {
			t.Fatal(err)
		}
	}
	get := func(port, path, user, password string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+port+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			r.SetBasicAuth(user, password)
		}
		r.Header.Set("Accept", "text/html")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	for _, c := range []struct {
		port, path, user, password string
		status                     int
		body                       string
	}{
		{open, "/", "", "", 200, "<p>home"},
		{open, "/a.txt", "", "", 200, "text"},
		{open, "/some/page", "", "", 200, "<p>home"},
		{open, "/.env", "", "", 404, ""},
		{closed, "/", "", "", 401, ""},
		{closed, "/", "ann", "a", 401, ""},
		{closed, "/", "ann", "a:b", 200, "<p>home"},
		{closed, "/some/page", "ann", "a:b", 404, ""},
		{listed, "/", "", "", 200, "text"},
		{listed, "/index.html", "", "", 200, "<p>home"},
		{listed, "/some/page", "", "", 404, ""},
		{bare, "/", "", "", 401, ""},
		{bare, "/", "ann", "b", 200, "<p>home"},
	} {
		if status, body := get(c.port, c.path, c.user, c.password); status != c.status || c.body != "" && body != c.body {
			t.Errorf("GET :%s%s as %q: %d %q, want %d %q", c.port, c.path, c.user, status, body, c.status, c.body)
		}
	}
	for _, args := range [][]string{{"serve", "nosuch"}, {"serve", ".", "--port", "99999"}, {"serve", "--monitor"}, {"serve", "--basic-auth-username", "ann"}} {
		if _, err := run(args...); err == nil {
			t.Errorf("pm2 %v succeeds", args)
		}
	}
}
