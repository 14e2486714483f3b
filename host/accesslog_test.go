package host

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"gopkg.in/natefinch/lumberjack.v2"

	"roost/internal/rotated"
)

// compiled is a format that must be one.
func compiled(t testing.TB, template string, r *LogRedaction) *logFormat {
	t.Helper()
	f, what, hint := newLogFormat(template, r)
	if what != "" {
		t.Fatalf("%s: %s: %s", template, what, hint)
	}
	return f
}

// everyField is a template of all there are.
func everyField() string {
	var b strings.Builder
	for name := range logFields {
		fmt.Fprintf(&b, "%s=$%s\t", name, name)
	}
	return b.String() + "$http_user_agent\t$sent_http_content_type\t${http_x_many}"
}

// linesOf sends a request for each URL, with fields, and waits for its line.
func (b *box) linesOf(c *http.Client, fields http.Header, urls ...string) []string {
	b.t.Helper()
	for _, url := range urls {
		r, err := http.NewRequest("GET", url, nil)
		if err != nil {
			b.t.Fatal(err)
		}
		r.Header = fields.Clone()
		res, err := c.Do(r)
		if err != nil {
			b.t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	b.logged += len(urls)
	lines := b.accessLines(b.logged)
	return lines[len(lines)-len(urls):]
}

func TestALineHasTheFieldsOfItsTemplate(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	root := b.folder(map[string]string{"a b/page.txt": "hello"})
	c := Config{
		Host:  Listen{HTTP3: true, AccessLogFormat: everyField()},
		Sites: []Site{{Domains: []string{"Log.localhost"}, RedirectHTTPS: no(), Target: Target{Root: root}, Routes: []Route{{Path: "/api/", Target: Target{App: "web"}}}}},
	}
	testApp(t, &c, "web", "one", 1)
	b.settled(c)
	read := func(line string) map[string]string {
		parts, fields := strings.Split(line, "\t"), map[string]string{}
		if len(parts) != len(logFields)+3 {
			t.Fatalf("%d fields in %q", len(parts), line)
		}
		for i, part := range parts {
			if name, value, ok := strings.Cut(part, "="); ok && i < len(logFields) {
				fields[name] = value
			}
		}
		fields["agent"], fields["type"], fields["many"] = parts[len(parts)-3], parts[len(parts)-2], parts[len(parts)-1]
		return fields
	}
	const file, api = "://log.localhost/a%20b//page.txt?x=1&y", "://log.localhost/api/x"
	sent := http.Header{"User-Agent": {"an agent"}, "X-Many": {"a", "b"}}
	same := map[string]string{
		"remote_addr": "127.0.0.1", "remote_user": "-", "request_method": "GET", "host": "log.localhost", "site": "log.localhost", "status": "200",
		"agent": "an agent", "many": "a,b", "request_uri": "/a%20b//page.txt?x=1&y", "uri": "/a b/page.txt", "args": "x=1&y", "body_bytes_sent": "5", "type": "text/plain; charset=utf-8",
		"app": "-", "instance": "-", "upstream_addr": "-", "upstream_header_time": "-",
	}
	ciphers := regexp.MustCompile(`^TLS_[A-Z0-9_]+$`)
	for proto, client := range map[string]*http.Client{"HTTP/1.1": b.client(false), "HTTP/2.0": b.client(true), "HTTP/3.0": b.client3()} {
		line := read(b.linesOf(client, sent, "https"+file)[0])
		for name, want := range same {
			if line[name] != want {
				t.Errorf("%s: %s is %q, want %q", proto, name, line[name], want)
			}
		}
		if line["server_protocol"] != proto || line["scheme"] != "https" || line["tls"] != "1.3" || line["ssl_protocol"] != "TLSv1.3" || line["ssl_server_name"] != "log.localhost" || !ciphers.MatchString(line["ssl_cipher"]) {
			t.Errorf("%s: %v", proto, line)
		}
	}
	line := read(b.linesOf(b.client(false), sent, "http"+api)[0])
	for name, want := range map[string]string{"scheme": "http", "tls": "-", "ssl_protocol": "-", "ssl_cipher": "-", "ssl_server_name": "-", "app": "web", "instance": "0", "args": "-", "uri": "/api/x"} {
		if line[name] != want {
			t.Errorf("%s is %q, want %q", name, line[name], want)
		}
	}
	if !strings.HasPrefix(line["upstream_addr"], "127.0.0.1:") {
		t.Errorf("upstream_addr is %q", line["upstream_addr"])
	}
	for _, name := range []string{"request_time", "upstream_header_time", "duration_ms", "msec"} {
		if _, err := strconv.ParseFloat(line[name], 64); err != nil || !strings.Contains(line[name], ".") {
			t.Errorf("%s is %q", name, line[name])
		}
	}
	for name, layout := range map[string]string{"time": time.RFC3339Nano, "time_iso8601": time.RFC3339, "time_local": "02/Jan/2006:15:04:05 -0700"} {
		if at, err := time.Parse(layout, line[name]); err != nil || time.Since(at) > time.Minute || time.Since(at) < -time.Second {
			t.Errorf("%s is %q: %v", name, line[name], err)
		}
	}
	c.Host.AccessLogFormat = `{"cost":"$$1","what":"$request","ms":$duration_ms,"of":"$instance"}`
	b.settled(c)
	var said struct {
		Cost, What, Of string
		MS             float64
	}
	if text := b.linesOf(b.client(false), sent, "http"+file)[0]; json.Unmarshal([]byte(text), &said) != nil || said.Cost != "$1" || said.What != "GET /a%20b//page.txt?x=1&y HTTP/1.1" || said.MS <= 0 || said.Of != "" {
		t.Errorf("%s", text)
	}
}

func TestWhatIsSecretIsNotWritten(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	root := b.folder(map[string]string{"index.html": "hello"})
	headers := "$http_authorization $http_cookie $http_x_key $http_x_forwarded_for $http_x_open $sent_http_x_link $sent_http_set_cookie"
	c := Config{
		Host: Listen{TrustedProxies: []string{"127.0.0.1"}, AccessLogRedact: &LogRedaction{Query: []string{"Token", "pass word"}, Headers: []string{"x-key"}, Clients: true}},
		Sites: []Site{{Domains: []string{"localhost"}, Target: Target{Root: root}, Headers: []HeaderRule{{Path: "/*", Set: map[string]string{
			"X-Link": "https://a.example/?b=1&token=SECRET", "Set-Cookie": "id=SECRET; HttpOnly",
		}}}}},
	}
	sent := http.Header{
		"Authorization": {"Bearer SECRET"}, "Cookie": {"id=SECRET"}, "X-Key": {"SECRET"}, "X-Open": {"open"}, "User-Agent": {"agent"},
		"Referer": {"https://localhost/reset?token=SECRET&also=1"}, "X-Forwarded-For": {"203.0.113.77"},
	}
	urls := []string{
		"https://localhost/?token=SECRET", "https://localhost/?a=1&TOKEN=SECRET&b=2", "https://localhost/?t%6fken=SECRET;SECRET?SECRET=SECRET",
		"https://localhost/?user[token]=SECRET&user.token=SECRET", "https://localhost/?a=1;token=SECRET", "https://localhost/?pass+word=SECRET&pass%20word=SECRET", "https://localhost/index.html;token=SECRET",
	}
	client := b.client(true)
	for _, format := range []string{"", "combined", "$request_uri $args $uri " + headers + " $http_referer"} {
		c.Host.AccessLogFormat = format
		b.settled(c)
		for i, line := range b.linesOf(client, sent, urls...) {
			if strings.Contains(line, "SECRET") || strings.Contains(line, "113.77") || !strings.Contains(line, redacted) || !strings.Contains(line, "also=1") {
				t.Errorf("%s: %s", urls[i], line)
			}
			if strings.Contains(urls[i], "a=1") && !strings.Contains(line, "?a=1") || strings.Contains(urls[i], "&b=2") && !strings.Contains(line, "TOKEN=REDACTED&b=2") {
				t.Errorf("%s: what is no secret is missing: %s", urls[i], line)
			}
			if !strings.HasPrefix(format, "$request") && !strings.Contains(line, "203.0.113.0") {
				t.Errorf("the client is not masked: %s", line)
			}
		}
	}
	// asked for
	c.Host.AccessLogFormat = headers
	c.Host.AccessLogRedact = &LogRedaction{Except: []string{"cookie", "Set-Cookie"}}
	b.settled(c)
	want := `REDACTED id=SECRET SECRET 203.0.113.77 open https://a.example/?b=1&token=SECRET id=SECRET;\x20HttpOnly`
	if line := b.linesOf(client, sent, urls[0])[0]; line != want {
		t.Errorf("%s, want %s", line, want)
	}
	c.Host.AccessLogRedact = nil
	b.settled(c)
	if line := b.linesOf(client, sent, urls[0])[0]; !strings.HasPrefix(line, "REDACTED REDACTED SECRET 203") || !strings.HasSuffix(line, "REDACTED") {
		t.Errorf("without a word about it: %s", line)
	}
}

// TestASecretIsFoundWhereverATargetHasIt has what an address bar, a mail or a
// login page makes of URLs within URLs.
func TestASecretIsFoundWhereverATargetHasIt(t *testing.T) {
	redaction := &LogRedaction{Query: []string{"token", "pass word", "jsessionid"}, Headers: []string{"x_key"}}
	for target, want := range map[string]string{
		"/login?next=%2Freset%3Fid%3D1%26token%3DSECRET%26b%3D2&lang=en": "/login?next=%2Freset%3Fid%3D1%26token%3DREDACTED&lang=en",
		"/login?next=https%3A%2F%2Fa.example%2F%3FToken%3DSECRET":        "/login?next=https%3A%2F%2Fa.example%2F%3FToken%3DREDACTED",
		"/a?u=%252Fb%253Fu%253D%25252Fc%25253Ftoken%25253DSECRET&c=1":    "/a?u=%252Fb%253Fu%253D%25252Fc%25253Ftoken%25253DREDACTED&c=1",
		"/a?next=/b?user%5Btoken%5D=SECRET#token=SECRET":                 "/a?next=/b?user%5Btoken%5D=REDACTED",
		"/a?token%3DSECRET":                                   "/a?token%3DREDACTED",
		"/a?a%3Db[token]=SECRET":                              "/a?a%3Db[token]=REDACTED",
		"/a?[token]%26x=SECRET":                               "/a?[token]%26x=REDACTED",
		"/a?token=&token=SECRET&token=SECRET":                 "/a?token=REDACTED&token=REDACTED&token=REDACTED",
		"/a?pass%20word=SECRET&pass+word=SECRET":              "/a?pass%20word=REDACTED&pass+word=REDACTED",
		"/a;jsessionid=SECRET?b=1":                            "/a;jsessionid=REDACTED",
		"/a?" + strings.Repeat("x=1&", 4000) + "token=SECRET": "/a?" + strings.Repeat("x=1&", 4000) + "token=REDACTED",
		"/a?" + strings.Repeat("%25", 4000) + "&" + strings.Repeat("[", 999) + "=1": "/a?" + strings.Repeat("%25", 4000) + "&" + strings.Repeat("[", 999) + "=1",
		"https://ann:SECRET@a.example/?b=1":                                         "https://REDACTED@a.example/?b=1",
		"https://SECRET@SECRET@a.example?c=d@e":                                     "https://REDACTED@a.example?c=d@e",
		// what is no secret
		"/a?x=token=1&b=%3F":                 "/a?x=token=1&b=%3F",
		"/a?tokens=1&atoken=2&%token=3&t%=4": "/a?tokens=1&atoken=2&%token=3&t%=4",
		"/token=1?next=http://b.example/@c":  "/token=1?next=http://b.example/@c",
		"/a?x=token.y&z=1":                   "/a?x=token.y&z=1",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RequestURI = target
		r.Header["Referer"], r.Header["X-Key"] = []string{target}, []string{"SECRET"}
		path, _, _ := strings.Cut(target, "?")
		line := compiled(t, `$request_uri|$http_referer|$uri|$http_x_key`, redaction).append(nil, &exchange{request: r, path: path}, 0)
		if shown, _, _ := strings.Cut(want, "?"); string(line) != want+"|"+want+"|"+shown+"|REDACTED\n" {
			t.Errorf("%s: %s", target, line)
		}
	}
	line := compiled(t, "$http_referer", &LogRedaction{Except: []string{"authorization"}})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["Referer"] = []string{"https://ann@a.example/"}
	if got := line.append(nil, &exchange{request: r}, 0); string(got) != "https://ann@a.example/\n" {
		t.Errorf("asked for: %s", got)
	}
}

func TestAddressesAreMasked(t *testing.T) {
	f := compiled(t, "$remote_addr", &LogRedaction{Clients: true})
	for address, want := range map[string]string{
		"203.0.113.77:80": "203.0.113.0", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1::", "[::ffff:203.0.113.77]:80": "203.0.113.0", "[fe80::1%eth0]:80": "fe80::", "": "-", "elsewhere": "-",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = address
		if line := f.append(nil, &exchange{request: r}, 0); string(line) != want+"\n" {
			t.Errorf("%s: %s, want %s", address, line, want)
		}
	}
}

func TestALineAllocatesNothing(t *testing.T) {
	r := httptest.NewRequest("GET", "https://a.example/path?a=1&user[token]=secret&b=\"\xff\u2028", nil)
	r.Header = http.Header{"User-Agent": {"an \"agent\"\n"}, "Referer": {"https://a.example/?token=x"}, "X-Many": {"a", "b"}, "X-Forwarded-For": {"192.0.2.1"}}
	x := &exchange{ResponseWriter: &sink{head: http.Header{"Content-Type": {"text/html"}}}, request: r, start: time.Now(), status: 200, link: &link{}, site: &site{name: "a"}, user: "ann", path: "/path"}
	x.AnsweredBy(12, "unix", "/run/x.sock", time.Now())
	b := make([]byte, 0, 64<<10)
	for _, template := range []string{"json", "combined", everyField()} {
		for _, redaction := range []*LogRedaction{nil, {Query: []string{"token", "password"}, Headers: []string{"Referer"}, Clients: true}} {
			f := compiled(t, template, redaction)
			if n := testing.AllocsPerRun(100, func() { b = f.append(b[:0], x, time.Second) }); n != 0 {
				t.Errorf("%s: %v allocations for a line", template, n)
			}
		}
	}
}

// formats are templates whose lines can be taken apart by what stands between
// their fields.
var formats = []struct {
	template string
	line     *regexp.Regexp
}{
	{"combined", regexp.MustCompile(`^(\S+) - (\S+) \[[^\]"]+\] "(\S+) (\S+) (\S+)" (\d+) (\d+) "([^"]*)" "([^"]*)"$`)},
	{"$request_uri|$http_referer|$http_user_agent|$remote_user|$status", regexp.MustCompile(`^([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|200$`)},
	{"$request_uri\t$http_user_agent\t$http_referer", regexp.MustCompile(`^([^\t]*)\t([^\t]*)\t([^\t]*)$`)},
	{"$status $request_uri $http_user_agent", regexp.MustCompile(`^200 (\S+) (\S+)$`)},
	{"[$http_user_agent] $status <$request_uri>", regexp.MustCompile(`^\[([^\]]+)\] 200 <([^>]+)>$`)},
	{"ua=$http_user_agent→uri=$request_uri→", regexp.MustCompile(`^ua=([^→]+)→uri=([^→]+)→$`)},
	{`$request_method "$request_uri;$http_user_agent" $http_referer`, regexp.MustCompile(`^(\S+) "([^";]+);([^"]+)" (\S+)$`)},
}

func FuzzAccessLog(f *testing.F) {
	f.Add("GET", "/a\"b\\c?\x00\n", "a.test", "agent\x7f\xff", "x|y] 500 <z\t\u2028\u0085")
	f.Add("GET / HTTP/1.1\" 200", "/ \\x22|\\|;x>", "a", "→ \" 200 0 \"-\" \"\\", "] \"GET / HTTP/1.1\"")
	f.Add("", "", "", "", "\r")
	f.Fuzz(func(t *testing.T, method, target, host, agent, referer string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.RequestURI, r.Host = method, target, host
		r.Header["User-Agent"], r.Header["Referer"] = []string{agent}, []string{referer}
		x := &exchange{request: r, start: time.Now(), status: 200, link: &link{}}
		whole := func(line []byte) string {
			text, ok := strings.CutSuffix(string(line), "\n")
			if bad := func(c rune) bool { return c < ' ' && c != '\t' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 }; !ok || !utf8.ValidString(text) || strings.ContainsFunc(text, bad) {
				t.Fatalf("%q", line)
			}
			return text
		}
		var m map[string]any
		if line := whole(compiled(t, "json", nil).append(nil, x, time.Second)); json.Unmarshal([]byte(line), &m) != nil || strings.Contains(line, "\t") {
			t.Fatalf("%s", line)
		}
		for key, sent := range map[string]string{"method": method, "path": target, "host": host, "user_agent": agent, "referer": referer} {
			if utf8.ValidString(sent) && m[key] != sent {
				t.Errorf("%s: %q became %q", key, sent, m[key])
			}
		}
		for _, format := range formats {
			line := whole(compiled(t, format.template, nil).append(nil, x, time.Second))
			parts := format.line.FindStringSubmatch(line)
			if parts == nil {
				t.Fatalf("%s: %q", format.template, line)
			}
			for _, sent := range []string{target, agent} {
				if sent != "" && !slices.ContainsFunc(parts[1:], func(part string) bool { return unescaped(part) == sent }) {
					t.Errorf("%s: %q is not to be found in %q", format.template, sent, line)
				}
			}
		}
	})
}

var escapes = regexp.MustCompile(`\\x[0-9a-f]{2}`)

// unescaped undoes \xNN.
func unescaped(s string) string {
	return escapes.ReplaceAllStringFunc(s, func(c string) string {
		n, _ := strconv.ParseUint(c[2:], 16, 8)
		return string([]byte{byte(n)})
	})
}

// FuzzRedaction looks for the value of a hidden parameter after taking a query
// apart in another way.
func FuzzRedaction(f *testing.F) {
	f.Add("a=1&", "&b=2")
	f.Add("%zz;?#=&", "")
	f.Add("to", "ken=1&token")
	format := compiled(f, "$args", &LogRedaction{Query: []string{"token"}})
	f.Fuzz(func(t *testing.T, before, after string) {
		r := httptest.NewRequest("GET", "/", nil)
		for _, key := range []string{"token", "TOKEN", "%74oken", "a[token]", "a.token", "next=%2F%3Ftoken%3D1%26x[token]", "next=%2F%3Fa%3D1%26token%3D"} {
			r.RequestURI = "/?" + strings.ReplaceAll(before, "S3CRET", "") + "&" + key + "=S3CRET" + strings.ReplaceAll(after, "S3CRET", "")
			if line := format.append(nil, &exchange{request: r}, 0); bytes.Contains(line, []byte("S3CRET")) {
				t.Errorf("%q: %s", r.RequestURI, line)
			}
		}
	})
}

func TestBadFormatsAreToldWithTheirLine(t *testing.T) {
	wants(t, checked(t, `[host]
access_log_format = "combine"
[host.access_log_redact]
query = ["token", "", "user[name]", "a=b"]
headers = ["X-Key", "X Key"]
except = ["Cookies", "User-Agent"]
clients = "all"
`),
		`roost.toml:2: unknown access_log_format "combine": did you mean "combined"?`,
		`roost.toml:4: access_log_redact: "" in query is no name of a parameter: want 1 to 64 bytes`,
		`roost.toml:4: access_log_redact: "a=b" in query is not as the name of a parameter is read: write one name, decoded, without its value`,
		`roost.toml:4: access_log_redact: "user[name]" in query is more than a name: write one of its parts: token stands for user[token] and user.token too`,
		`roost.toml:5: access_log_redact: "X Key" in headers is no name of a header field: write one name for each, in quotes, with commas between`,
		`roost.toml:6: access_log_redact: "Cookies" in except is not left out: did you mean "Cookie"?`,
		`roost.toml:6: access_log_redact: "User-Agent" in except is not left out: it is for those that are: Authorization, Proxy-Authorization, Cookie, Set-Cookie`,
		`roost.toml:7: clients wants true or false, not the text "all": leave out the quotes`,
	)
	for name, nearest := range logFieldsOfNginx {
		if compiled(t, "$"+nearest, nil); logFields[name] != nil {
			t.Errorf("$%s is there", name)
		}
	}
	for template, want := range map[string]string{
		"$remote_adr":               `access_log_format: unknown field $remote_adr: did you mean "remote_addr"?`,
		"$status $bytes":            `access_log_format: unknown field $bytes: the fields are in docs/static.md; a header field is $http_name, of the answer $sent_http_name`,
		"$request_id":               `access_log_format: unknown field $request_id: nearest to nginx's is $http_x_request_id`,
		"$http_":                    `access_log_format: unknown field $http_: the fields are in docs/static.md; a header field is $http_name, of the answer $sent_http_name`,
		"${status":                  `access_log_format: ${ without }: close it, or write $$ for the character itself`,
		"${status} 5 $":             `access_log_format: a $ without a field behind it: name one, or write $$ for the character itself`,
		"$status\n$request":         `access_log_format has a line break or a control character: write one line; a tab may stand in it`,
		`{"uri":$request_uri}`:      `access_log_format begins with a brace and is no JSON object: write fields that are not always numbers in quotes; filled in it is {"uri":x}`,
		`{"status":$status,}`:       `access_log_format begins with a brace and is no JSON object: write fields that are not always numbers in quotes; filled in it is {"status":1,}`,
		"$status":                   "",
		"$$":                        "",
		`{"a":"$$","s":${status}1}`: "",
	} {
		text := fmt.Sprintf("[host]\naccess_log_format = %s\n", strconv.Quote(template))
		if want == "" {
			wants(t, checked(t, text))
		} else {
			wants(t, checked(t, text), "roost.toml:2: "+want)
		}
	}
}

func TestRotatedAccessLogsAreCompressedWhenItIsCalm(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before, apps := filepath.Join(dir, "access-2026-01-02T03-04-05.678.log"), filepath.Join(dir, "access-out.log")
	for _, name := range []string{before, apps} {
		if err := os.WriteFile(name, []byte("a line\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := newAccessLog(filepath.Join(dir, "access.log"), slog.New(slog.DiscardHandler))
	l.calm = time.Millisecond
	l.file.(*lumberjack.Logger).MaxSize = 1
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { l.run(ctx) })
	x := &exchange{request: httptest.NewRequest("GET", "/"+strings.Repeat("x", 1000), nil), start: time.Now(), status: 200, link: &link{}, format: l.format.Load()}
	lines := 0
	for range 12 { // each less than a file takes
		for range 300 {
			l.add(x, time.Second)
			lines++
		}
		until(t, "the lines are written", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return len(l.pending) == 0
		})
	}
	until(t, "what was rotated is compressed", func() bool {
		old, _ := rotated.Files(l.name)
		return len(old) >= 3 && !slices.ContainsFunc(old, func(f rotated.File) bool { return !strings.HasSuffix(f.Path, ".gz") })
	})
	cancel()
	running.Wait()
	old, _ := rotated.Files(l.name)
	for _, f := range old {
		from, err := os.Open(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(from)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if lines -= bytes.Count(text, lineEnd); err != nil {
			t.Errorf("%s: %v", f.Path, err)
		}
		_ = from.Close()
	}
	text, err := os.ReadFile(l.name)
	if lines -= bytes.Count(text, lineEnd); err != nil || lines != -1 { // that of before
		t.Errorf("%d lines are missing, %v", lines+1, err)
	}
	if text, err := os.ReadFile(apps); string(text) != "a line\n" {
		t.Errorf("the log of an app became %q, %v", text, err)
	}
}
