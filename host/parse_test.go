package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roost/apps"
	"roost/internal/unit"
	"roost/static"
)

// folderWith makes a folder with these files and folders (those end in "/")
// and returns its name.
func folderWith(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		full := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(full, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// problemLines writes problems with the folder cut off.
func problemLines(dir string, problems []Problem) []string {
	lines := []string{}
	for _, p := range problems {
		lines = append(lines, strings.ReplaceAll(p.String(), dir+string(filepath.Separator), ""))
	}
	return lines
}

func TestAFileBecomesAConfig(t *testing.T) {
	dir := folderWith(t)
	file := filepath.Join(dir, "roost.toml")
	c, problems := Parse(file, []byte(`
[host]
http = ":8080"
idle_timeout = "30s"
access_log = false

[tls]
issuer = "internal"

[[site]]
domains = ["example.com", "www.example.com"]
root = "public"
memory = "1M"

[[site]]
domains = ["app.example.com"]
app = "web"
redirect_https = false
  [[site.route]]
  path = "/docs/"
  root = "/srv/docs"
  [[site.route]]
  path = "/api"
  app = "web"
  strip_prefix = true

[[app]]
name = "web"
script = "server.js"
args = "--port 3 'a b'"
instances = "max"
cwd = "web"
env = { NODE_ENV = "production", PORT = 3000 }
kill_timeout = 1500
`), "")
	if len(problems) > 0 {
		t.Fatal(Problems(problems))
	}
	no := false
	want := Config{
		Host:      Listen{HTTP: ":8080", IdleTimeout: unit.Duration(30 * time.Second), AccessLog: &no, Source: file},
		TLSSource: file,
		Sites: []Site{
			{Domains: []string{"example.com", "www.example.com"}, Target: Target{Root: filepath.Join(dir, "public"), Serving: static.Serving{Memory: 1 << 20}}, Source: file},
			{Domains: []string{"app.example.com"}, Target: Target{App: "web"}, RedirectHTTPS: &no, Source: file, Routes: []Route{
				{Path: "/docs/", Target: Target{Root: "/srv/docs"}},
				{Path: "/api", Target: Target{App: "web"}, StripPrefix: true},
			}},
		},
		Apps: []apps.Wanted{{Source: file, Config: apps.Config{
			Name: "web", Script: "server.js", Args: apps.Words{"--port", "3", "a b"}, Instances: apps.Max, Cwd: filepath.Join(dir, "web"),
			Env: map[string]string{"NODE_ENV": "production", "PORT": "3000"}, KillTimeout: unit.Duration(1500 * time.Millisecond),
		}}},
	}
	want.TLS.Issuer = "internal"
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

// TestTenMistakesAreTenLines is the promise of `roost check`.
func TestEveryMistakeHasItsLine(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"ten mistakes in one file", `[host]
http = "8080"
htps = ":443"

[[site]]
domains = ["example.com", "no good"]
root = "public"
spa = "yes"

[[site]]
domains = ["EXAMPLE.com"]
app = "wbe"

[[site]]
domains = ["docs.example.com"]
root = "missing"
  [[site.route]]
  path = "api/"
  app = "web"

[[site]]
domains = ["both.example.com"]
root = "public"
app = "web"

[[app]]
name = "web"
command = "./server"
instances = "many"
kill_timeout = "soon"
`, []string{
			`roost.toml:2: http = "8080": a port needs a colon before it: write ":8080"`,
			`roost.toml:3: unknown key "htps" in [host]: did you mean "https"?`,
			`roost.toml:6: site example.com: "no good" is not a domain: use letters, digits, hyphens and dots, as in "www.example.com"`,
			`roost.toml:8: spa wants true or false, not the text "yes": leave out the quotes`,
			`roost.toml:11: site example.com: domain example.com is already answered at / by the site of roost.toml:5: remove it from one of them`,
			`roost.toml:12: site example.com: there is no app "wbe": did you mean "web"?`,
			`roost.toml:16: site docs.example.com: the folder missing does not exist: create it, or correct the path`,
			`roost.toml:18: site docs.example.com: route path "api/" does not begin with a slash: write "/api/"`,
			`roost.toml:24: site both.example.com: root and app are both set: keep one; a route can lead a path to the other`,
			`roost.toml:29: instances = "many" is neither "max" nor a number`,
			`roost.toml:30: kill_timeout: "soon" is not a length of time: write milliseconds or a text such as "30s"`,
		}},
		{"a syntax error has its column", "[host]\nhttp = \"x\nhttps = 1\n", []string{
			`roost.toml:2: column 10: basic strings cannot have new lines: correct the TOML syntax`,
		}},
		{"a byte order mark and CR LF are no mistake", "\ufeff[host]\r\nhttp = \":0\"\r\n", []string{}},
		{"a key twice", "[host]\nhttp = \":1\"\nhttp = \":2\"\n", []string{
			`roost.toml:3: column 1: key http is already defined: correct the TOML syntax`,
		}},
		{"a misspelt key is not also missing", "[[site]]\nrot = \"public\"\n", []string{
			`roost.toml:2: unknown key "rot" in [[site]]: did you mean "root"?`,
		}},
		{"an unreadable value is not also missing", "[[site]]\nroot = 5\n", []string{
			`roost.toml:2: root wants a text, not 5: put it in quotes`,
		}},
		{"a table where an array of tables belongs", "[site]\nroot = \"public\"\n", []string{
			`roost.toml:1: site wants a list, not a table: write [[site]]`,
		}},
		{"a text where a list belongs", "[[site]]\ndomains = \"example.com\"\nroot = \"public\"\n", []string{
			`roost.toml:2: domains wants a list, not the text "example.com": write ["example.com"]`,
		}},
		{"inside inline tables and lists", "site = [\n  { root = \"public\" },\n  { domains = [\"b.example.com\",\n    7], root = \"public\" },\n]\n", []string{
			`roost.toml:4: domains wants a text, not 7: put it in quotes`,
		}},
		{"nowhere to lead", "[[site]]\ndomains = [\"a.example.com\"]\n[[site]]\ndomains = [\"b.example.com\"]\n[[site.route]]\npath = \"/x\"\n", []string{
			`roost.toml:1: site a.example.com: leads nowhere: set root to a folder or app to the name of an app`,
			`roost.toml:5: site b.example.com: route /x leads nowhere: set root to a folder or app to the name of an app`,
		}},
		{"defaults", "[[site]]\ndomains = [\"a.test\"]\nroot = \"public\"\ndefault = true\n[[site]]\ndomains = [\"b.test\"]\nroot = \"public\"\ndefault = true\n[[site]]\nroot = \"public\"\n", []string{
			`roost.toml:8: site b.test: the default site is already that of roost.toml:1: only one site may be default`,
			`roost.toml:9: site *: unknown domains are already answered by the default site of roost.toml:1: give this site its domains, or remove default there`,
		}},
		{"two sites without domains", "[[site]]\nroot = \"public\"\n[[site]]\nroot = \"public\"\n", []string{
			`roost.toml:3: site *: unknown domains are already answered by the site of roost.toml:1: give this site its domains`,
		}},
		{"domains that are more", "[[site]]\nroot = \"public\"\ndomains = [\n\"https://a.test\",\n\"a.test/x\",\n\"a.test:80\",\n\"a.*.test\",\n\"*\",\n\"\",\n\"b.test\",\n\"B.TEST.\"]\n", []string{
			`roost.toml:4: site https://a.test: "https://a.test" is not a domain: write the name without the scheme`,
			`roost.toml:5: site https://a.test: "a.test/x" is not a domain: write the name without a path; paths go into [[site.route]]`,
			`roost.toml:6: site https://a.test: "a.test:80" is not a domain: write the name without the port; ports go into [host]`,
			`roost.toml:7: site https://a.test: "a.*.test" is not a domain: a wildcard stands only at the front, as in "*.example.com"`,
			`roost.toml:8: site https://a.test: "*" is not a domain: leave out domains to answer every name`,
			`roost.toml:9: site https://a.test: "" is not a domain: remove it, or leave out domains to answer every name`,
			`roost.toml:11: site https://a.test: domain b.test is listed twice: remove one of them`,
		}},
		{"routes", "[[site]]\nroot = \"public\"\nroute = [\n{ path = \"/a\", root = \"public\" },\n{ path = \"/a/\", root = \"public\" },\n{ path = \"/b/*\", root = \"public\" },\n{ path = \"/c/../d\", root = \"public\" },\n{ path = \"/e%20\", root = \"public\" },\n{ path = \"/f?x\", root = \"public\" },\n{ path = \"/\", root = \"public\" },\n{ root = \"public\" },\n]\n", []string{
			`roost.toml:5: site *: path /a/ is given twice: remove one of them`,
			`roost.toml:6: site *: route path "/b/*" has a *: a path covers all that lies below it; leave the * out`,
			`roost.toml:7: site *: route path "/c/../d" is not in its shortest form: write "/d"`,
			`roost.toml:8: site *: route path "/e%20" is escaped: write the characters themselves`,
			`roost.toml:9: site *: route path "/f?x" has more than a path: leave out what follows ? or #`,
			`roost.toml:10: site *: path / is given twice: remove one of them`,
			`roost.toml:11: site *: route path "" is missing: set path to the beginning of the paths it covers, such as "/docs/"`,
		}},
		{"addresses", "[host]\nhttp = \"example.com:80\"\nhttps = \":99999\"\n", []string{
			`roost.toml:2: http = "example.com:80": not an address of this box: write an IP address, or none for all`,
			`roost.toml:3: https = ":99999": not a port: want a number up to 65535`,
		}},
		{"one address for both", "[host]\nhttp = \":8080\"\nhttps = \":8080\"\naccess_log_format = \"xml\"\n", []string{
			`roost.toml:3: http and https have the same address ":8080": give each a port of its own`,
			`roost.toml:4: unknown access_log_format "xml": want "json", "combined" or a template such as "$remote_addr $request_uri $status"`,
		}},
		{"seconds written as milliseconds", "[host]\nidle_timeout = 60\nheader_timeout = \"1s\"\n", []string{
			`roost.toml:2: idle_timeout = 60ms would cut off honest clients: want at least a second; a plain number is milliseconds, write "30s"`,
		}},
		{"issuers of sites", "[[site]]\nroot = \"public\"\ndomains = [\"a.test\"]\nissuer = \"zerossl\"\n[[site]]\nroot = \"public\"\ndomains = [\"b.test\"]\nissuer = \"nobody\"\n[[site]]\nroute = [{ path = \"/x\", root = \"public\" }]\ndomains = [\"c.test\",\n\"B.TEST\"]\nissuer = \"internal\"\n[[site]]\nroot = \"public\"\nissuer = \"internal\"\n", []string{
			`roost.toml:4: site a.test: zerossl issues nothing without an e-mail address: set email in [tls]`,
			`roost.toml:8: site b.test: unknown issuer "nobody": use "letsencrypt", "zerossl", "internal" or the URL of an ACME directory such as "https://ca.example.com/acme/directory"`,
			`roost.toml:12: site c.test: another site has another issuer for b.test: nobody: a domain has one certificate: name the same issuer, or leave it out of one of the sites`,
			`roost.toml:16: site *: an issuer is for domains, and the site lists none: list them in domains`,
		}},
		{"an account at the CA", "[tls]\nstaging = true\nissuer = \"zerossl\"\n[tls.eab]\nkey_id = \"kid\"\n", []string{
			`roost.toml:2: only letsencrypt has a staging side that is known here: name the directory of its staging side as issuer`,
			`roost.toml:4: eab has no HMAC key: set hmac_file to a file that holds the key`,
		}},
		{"a provider of DNS", "[tls]\ndns = {\nprovider = \"rfc2136\",\nserver = \"ns1:x\",\nsecret_env = \"ROOST_NOT_SET\",\nkeyname = 1,\nall = 1 }\n", []string{
			`roost.toml:2: the DNS provider rfc2136 needs key_name: set key_name`,
			`roost.toml:4: "ns1:x" is not the address of a name server: write a host with or without a port, such as "ns1.example.com" or "192.0.2.53:5353"`,
			`roost.toml:5: cannot read the secret: the variable ROOST_NOT_SET is empty: set the variable where the program is started`,
			`roost.toml:6: unknown key "keyname" in [tls.dns]: did you mean "key_name"?`,
			`roost.toml:7: all wants true or false, not 1`,
		}},
		{"zeros, where zero is not off", "[host]\nidle_timeout = 0\nmax_connections = 0\n[[site]]\nroot = \"public\"\nmemory = \"0M\"\nretry_after = \"0 s\"\nmax_body = 0\nhsts = 0\n", []string{
			`roost.toml:2: idle_timeout cannot be 0: write more, or leave it out`,
			`roost.toml:3: max_connections cannot be 0: write more, or leave it out`,
			`roost.toml:6: memory cannot be 0: write more, or leave it out`,
			`roost.toml:7: retry_after cannot be 0: write more, or leave it out`,
		}},
		{"keys of other sections", "[host]\nspa = true\nissuer = \"internal\"\n[[site]]\nroot = \"public\"\nstrip_prefix = true\nhttp3 = true\nenv_file = \"a.env\"\n[[site.route]]\npath = \"/a/\"\nroot = \"public\"\ncanonical = \"a.test\"\n", []string{
			`roost.toml:2: unknown key "spa" in [host]: it is a key of [[site]]`,
			`roost.toml:3: unknown key "issuer" in [host]: it is a key of [tls]`,
			`roost.toml:6: unknown key "strip_prefix" in [[site]]: it is a key of [[site.route]]`,
			`roost.toml:7: unknown key "http3" in [[site]]: it is a key of [host]`,
			`roost.toml:8: unknown key "env_file" in [[site]]: it is a key of [[app]]`,
			`roost.toml:12: unknown key "canonical" in [[site.route]]: it is a key of [[site]]`,
		}},
		{"all off", "[host]\nhttp = \"off\"\nhttps = \"off\"\n", []string{
			`roost.toml:3: both http and https are off: leave one of them on`,
		}},
		{"error pages", "[[site]]\nroot = \"public\"\nerror_pages = \"server\"\n", []string{
			`roost.toml:3: site *: server is not a folder: name the folder that holds the files`,
		}},
		{"switches of folders on an app", "[[site]]\napp = \"web\"\nspa = true\n[[app]]\nname = \"web\"\ncommand = \"./server\"\n", []string{
			`roost.toml:3: site *: spa is for folders, not for apps: remove it`,
		}},
		{"names and ports of apps", "[host]\nhttp = \":8080\"\n[[app]]\nname = \"web\"\ncommand = \"./server\"\nport = 8080\n[[app]]\nname = \"web\"\ncommand = \"./server\"\n[[app]]\nname = \"three\"\ncommand = \"./server\"\nport = 8080\n", []string{
			`roost.toml:6: app web: port 8080 is that of the host's http: requests reach an app through its site; give it a port of its own, or none`,
			`roost.toml:8: app web: declared twice, first by roost.toml:3: choose another name`,
			`roost.toml:13: app three: port 8080 is that of app web: give each app a port of its own`,
			`roost.toml:13: app three: port 8080 is that of the host's http: requests reach an app through its site; give it a port of its own, or none`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := folderWith(t, "public/", "server")
			_, problems := Check(filepath.Join(dir, "roost.toml"), []byte(test.text), "")
			got := problemLines(dir, problems)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnUnknownNameIsAnsweredWithTheNearest(t *testing.T) {
	for written, want := range map[string]string{
		"domian": "domains", "rooot": "root", "defualt": "default", "apps": "app", "errorpages": "error_pages", "xyz": "", "redirect": "",
	} {
		hint := didYouMean(written, []string{"domains", "root", "default", "app", "error_pages", "spa", "redirect_https"})
		if want != "" {
			want = `did you mean "` + want + `"?`
		}
		if hint != want {
			t.Errorf("%s: %q, want %q", written, hint, want)
		}
	}
}

func TestDomainsAreComparedInOneForm(t *testing.T) {
	for written, want := range map[string]string{
		"Example.COM": "example.com", "example.com.": "example.com", "*.Example.com": "*.example.com", "bücher.example": "xn--bcher-kva.example",
		"BÜCHER.example": "xn--bcher-kva.example", "localhost": "localhost", "192.168.1.1": "192.168.1.1", "[::1]": "::1", "0:0::1": "::1",
		"a_b.example": "a_b.example", "a!b.example": "", "-a.example": "", "a..b": "", "*.": "", "*.*.example.com": "", strings.Repeat("a", 64) + ".example": "",
		"a b": "", "a\x00b": "", "xn--zz": "",
	} {
		if got, _ := canonicalDomain(written); got != want {
			t.Errorf("canonicalDomain(%q) = %q, want %q", written, got, want)
		}
	}
	for written, want := range map[string]string{
		"Example.COM": "example.com", "example.com.": "example.com", "example.com:443": "example.com", "EXAMPLE.com.:8443": "example.com",
		"[::1]": "::1", "[::1]:80": "::1", "[0:0:0::1]:80": "::1", "127.0.0.1:80": "127.0.0.1", "": "", "[": "[", ":80": "",
	} {
		if got := requestDomain(written); got != want {
			t.Errorf("requestDomain(%q) = %q, want %q", written, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("[[site]]\ndomains = [\"a.test\"]\nroot = \"x\"\n[[site.route]]\npath=\"/x\"\n")
	f.Add("[[app]]\nname = \"a\"\nenv = { A = 1 }\n[host]\nhttp = \":80\"")
	f.Add("site = [{root = \"a\", route = [{path = \"/\"}]}]\n[tls]\nissuer = 3")
	f.Add("a.b.c = [[1], {x.y = 2}]\n[[a.d]]\n[a.d.e]\n[[a.d.e.f]]")
	f.Fuzz(func(t *testing.T, text string) {
		_, problems := Check("/nowhere/roost.toml", []byte(text), "")
		for _, p := range problems {
			if p.What == "" || p.Line > strings.Count(text, "\n")+1 {
				t.Errorf("%#v", p)
			}
		}
	})
}
