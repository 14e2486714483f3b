//go:build unix

package host

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"roost/internal/httplint"
)

// nginx serves root until the test ends, on a Unix socket. It is the one that
// the system has, as the user who runs the test.
func nginx(t *testing.T, root string) (socket string) {
	t.Helper()
	program := "/usr/sbin/nginx"
	if _, err := os.Stat(program); err != nil {
		if program, err = exec.LookPath("nginx"); err != nil {
			t.Fatal("this test asks nginx too: make deps installs it")
		}
	}
	dir, err := os.MkdirTemp("", "roost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	var temps strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temps, "%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	config := fmt.Sprintf(`
daemon off; master_process off; pid %[1]s/pid; error_log stderr crit;
events { worker_connections 64; }
http {
	access_log off; server_tokens off; charset utf-8; charset_types text/plain text/css; gzip_static on; gzip_vary on;
	%[2]s
	types { text/html html; text/css css; text/plain txt; text/javascript js; application/octet-stream bin; }
	server {
		listen unix:%[1]s/s; server_name _; root %[3]s; index index.html; absolute_redirect off;
		location ~ /\. { return 404; }
		location / { try_files $uri $uri/index.html $uri/ $uri.html =404; }
		location = /dir { return 308 /dir/$is_args$args; }
	}
}`, dir, temps.String(), root)
	name := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(name, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	command := exec.Command(program, "-p", dir, "-e", "stderr", "-c", name)
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			t.Errorf("nginx: %v: %s", err, said.String())
		}
	})
	until(t, "nginx listens", func() bool {
		select {
		case err := <-ended:
			ended <- nil
			t.Fatalf("nginx ends: %v: %s", err, said.String())
		default:
		}
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return socket
}

// furtherCases are parts and conditions of which cases has none.
var furtherCases = []struct {
	about, target string
	fields        []string
}{
	{"a part in the middle", "/medium.bin", []string{"Range: bytes=1000-1999"}},
	{"the first byte", "/medium.bin", []string{"Range: bytes=0-0"}},
	{"the last byte", "/medium.bin", []string{"Range: bytes=-1"}},
	{"a part that is longer than the file", "/a.txt", []string{"Range: bytes=0-999"}},
	{"a last part that is longer than the file", "/a.txt", []string{"Range: bytes=-999"}},
	{"a part that ends before it begins", "/a.txt", []string{"Range: bytes=3-1"}},
	{"a part that begins at the end", "/a.txt", []string{"Range: bytes=6-"}},
	{"a part of letters", "/a.txt", []string{"Range: bytes=a-b"}},
	{"an empty part", "/a.txt", []string{"Range: bytes="}},
	{"a part without a unit", "/a.txt", []string{"Range: 0-2"}},
	{"a part of which it is said when it was", "/a.txt", []string{"Range: bytes=0-2", "If-Range: TIME"}},
	{"a part of which it is said that it was before", "/a.txt", []string{"Range: bytes=0-2", "If-Range: Mon, 02 Jan 2006 15:04:05 GMT"}},
	{"a part of what is known", "/a.txt", []string{"Range: bytes=0-2", "If-None-Match: TAG"}},
	{"a part of what is not as it was", "/a.txt", []string{"Range: bytes=0-2", `If-Match: "x"`}},
	{"as it was", "/a.txt", []string{"If-Match: TAG"}},
	{"as it was, whatever it is", "/a.txt", []string{"If-Match: *"}},
	{"as it was at its time", "/a.txt", []string{"If-Unmodified-Since: TIME"}},
	{"as it was before", "/a.txt", []string{"If-Unmodified-Since: Mon, 02 Jan 2006 15:04:05 GMT"}},
	{"another tag, and its time", "/a.txt", []string{`If-None-Match: "x"`, "If-Modified-Since: TIME"}},
	{"its tag, and an old time", "/a.txt", []string{"If-None-Match: TAG", "If-Modified-Since: Mon, 02 Jan 2006 15:04:05 GMT"}},
	{"a time that is none", "/a.txt", []string{"If-Modified-Since: yesterday"}},
	{"a list of tags", "/a.txt", []string{`If-None-Match: "a", "b"`}},
	{"a part of an empty file", "/empty.txt", []string{"Range: bytes=-1"}},
	{"a tag of nothing", "/nothing", []string{"If-None-Match: *"}},
	{"a part of nothing", "/nothing", []string{"Range: bytes=0-1"}},
}

// onPurpose are the cases where we answer otherwise than nginx, and why.
var onPurpose = map[string]string{
	"a page at another of its paths":      "a page has one path (html_handling)",
	"a coding that lies beside":           "nginx has no brotli",
	"a coding in two fields":              "fields of a list are one, RFC 9110 section 5.3; nginx takes the first",
	"a part of a coding":                  "a representation has parts whatever its coding, RFC 9110 section 14.2",
	"nothing made of it":                  "no-transform of a client is heeded, RFC 9111 section 5.2.1.6",
	"a redirect of the folder's rules":    "_redirects",
	"a redirect of the site's rules":      "[[site.redirect]]",
	"a rewrite":                           "[[site.rewrite]]",
	"a page of a listing":                 "a route of its own, with browse",
	"a listing as JSON":                   "a route of its own, with browse",
	"a path of a route without its slash": "a route of its own",
	"a place where nobody may go":         "a route of its own, with deny",
	"a password that is missing":          "a route of its own, with basic_auth",
	"a password that is right":            "a route of its own, with basic_auth",
	"another origin":                      "a route of its own, with cors",
	"an origin that may not":              "a route of its own, with cors",
	"a part that ends before it begins":   "an invalid Range is as none, RFC 9110 section 14.2",
	"a part of letters":                   "an invalid Range is as none, RFC 9110 section 14.2",
	"its tag, and an old time":            "beside If-None-Match the time does not count, RFC 9110 section 13.1.3",
}

// TestFilesAreAnsweredAsByNginx sends what there is about files to nginx too.
func TestFilesAreAnsweredAsByNginx(t *testing.T) {
	t.Parallel()
	l := fileLanes(t)
	socket := nginx(t, l.full.look().config.Sites[0].Root)
	ask := func(dial func() (net.Conn, error), sent string) (*http.Response, string) {
		c, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(30 * time.Second))
		io.WriteString(c, sent)
		raw, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		answers, _ := httplint.Answers([]byte(sent), raw)
		if len(answers) != 1 {
			t.Fatalf("%q is answered with %q", sent, raw)
		}
		body, _ := io.ReadAll(answers[0].Body)
		return answers[0], string(body)
	}
	ours, theirs := l.express.plain, func() (net.Conn, error) { return net.Dial("unix", socket) }
	values := func(dial func() (net.Conn, error)) *strings.Replacer {
		res, _ := ask(dial, "GET /a.txt HTTP/1.1\r\nHost: files.test\r\nConnection: close\r\n\r\n")
		return strings.NewReplacer("TAG", res.Header.Get("Etag"), "TIME", res.Header.Get("Last-Modified"))
	}
	mine, its := values(ours), values(theirs)
	differing := map[string]bool{}
	for _, test := range slices.Concat(cases, furtherCases) {
		for _, method := range []string{"GET", "HEAD"} {
			sent := method + " " + test.target + " HTTP/1.1\r\nHost: files.test\r\nConnection: close\r\n"
			here, there := sent, sent
			for _, f := range test.fields {
				if strings.HasPrefix(f, "Connection:") {
					continue
				}
				here += mine.Replace(f) + "\r\n"
				if method == "GET" || !strings.HasPrefix(f, "Range:") { // is of GET alone, RFC 9110 section 14.2; for nginx of HEAD too
					there += its.Replace(f) + "\r\n"
				}
			}
			a, b := common(ask(ours, here+"\r\n")), common(ask(theirs, there+"\r\n"))
			if a != b {
				differing[test.about] = true
				if onPurpose[test.about] == "" {
					t.Errorf("%s, %s:\nours   %.300q\nnginx: %.300q", method, test.about, a, b)
				}
			}
		}
	}
	for about := range onPurpose {
		if !differing[about] {
			t.Errorf("%s is answered as by nginx", about)
		}
	}
}

// common is what both define of an answer.
func common(res *http.Response, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", res.StatusCode)
	for _, name := range []string{"Content-Range", "Last-Modified", "Location", "Content-Encoding"} {
		fmt.Fprintf(&b, " %s %q", name, res.Header.Get(name))
	}
	if res.StatusCode < 300 {
		kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
		fmt.Fprintf(&b, " %s, length %q, tag %v, %q", kind, res.Header.Get("Content-Length"), res.Header.Get("Etag") != "", body)
	}
	if res.StatusCode == http.StatusOK { // nginx does not say it of a part
		fmt.Fprintf(&b, ", ranges %q", res.Header.Get("Accept-Ranges"))
	}
	return b.String()
}
