package host

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
	roosttls "roost/tls"
)

func init() {
	testModes["oracle"] = func() {
		http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			domain := r.URL.Query().Get("domain")
			switch {
			case domain == "":
				io.WriteString(w, "hello")
			case r.URL.Path != "/allowed" || r.URL.Query().Get("a") != "b" || r.Host != domain || r.Header.Get("X-Forwarded-Proto") != "https" || r.Method != http.MethodGet:
				http.Error(w, "asked in another way", http.StatusInternalServerError)
			case strings.HasPrefix(domain, "long"):
				io.WriteString(w, strings.Repeat("yes ", mostTaken))
			case strings.HasPrefix(domain, "yes"):
				io.WriteString(w, "yes")
			case strings.HasPrefix(domain, "trouble"):
				http.Error(w, "no database", http.StatusInternalServerError)
			default:
				http.NotFound(w, r)
			}
		}))
	}
}

func TestASiteHasCertificatesOnDemandAsItsAppSays(t *testing.T) {
	b := newBox(t)
	var c Config
	testApp(t, &c, "web", "oracle", 1)
	c.Sites = []Site{{
		OnDemand: &roosttls.OnDemand{Ask: "/api/allowed?a=b"},
		Target:   Target{Root: b.folder(map[string]string{"index.html": "a folder"})},
		Routes:   []Route{{Path: "/api/", Target: Target{App: "web"}, StripPrefix: true}},
	}}
	b.settled(c)
	port := func(kind string) int {
		_, text, _ := net.SplitHostPort(b.address(kind))
		n, _ := strconv.Atoi(text)
		return n
	}
	directory, rootFile, trusted := pebble(t, port("http"), port("https"))
	c.TLS.Issuer, c.TLS.CARoot = directory, rootFile
	b.settled(c)
	transport := &httplint.Transport{T: t, Base: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", b.address("https"))
		},
	}}
	client := &http.Client{Timeout: 30 * time.Second, Transport: transport}
	t.Cleanup(client.CloseIdleConnections)
	for _, name := range []string{"yes.example.com", "long.example.com"} {
		until(t, name+" is served", func() bool {
			res, err := client.Get("https://" + name + "/")
			if err != nil {
				return false
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			return string(body) == "a folder" && res.ProtoMajor == 2
		})
	}
	for _, test := range [][2]string{{"no.example.com", "unrecognized name"}, {"trouble.example.com", "internal error"}} { // the last is what status tells of
		if _, err := tls.Dial("tcp", b.address("https"), &tls.Config{ServerName: test[0]}); err == nil || !strings.Contains(err.Error(), test[1]) {
			t.Errorf("%s: %v", test[0], err)
		}
	}
	plain := b.client(false)
	for name, want := range map[string]string{"new.example.com": "https", "10.1.2.3.4": ""} {
		res, _ := b.get(plain, "http://"+name+"/")
		if to := res.Header.Get("Location"); !strings.HasPrefix(to, want) || (to == "") != (want == "") {
			t.Errorf("http://%s: %d %s", name, res.StatusCode, to)
		}
	}
	s := b.Status()
	if !slices.ContainsFunc(s.Problems, func(p string) bool {
		return strings.HasPrefix(p, "certificates on demand: app web at /allowed?a=b answered 500: ")
	}) {
		t.Errorf("problems: %q", s.Problems)
	}
	var names []string
	for _, cert := range s.Certificates {
		if cert.OnDemand {
			names = append(names, cert.Name)
		}
	}
	if !slices.Equal(names, []string{"long.example.com", "yes.example.com"}) {
		t.Errorf("certificates: %+v", s.Certificates)
	}
	w := httplint.Record(t, b.Metrics(), httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{"roost_on_demand_names 2", "roost_on_demand_asked_total 4", "roost_on_demand_undecided_total 1", "roost_on_demand_denied_total 1", "roost_on_demand_limited_total 0"} {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Errorf("metrics lack %s", line)
		}
	}
	if strings.Contains(w.Body.String(), "yes.example.com") {
		t.Error("a metric for each name")
	}
	// Without the app, new names have nobody to ask; the others are served.
	if _, err := b.askApp(t.Context(), "gone", "/allowed", "yes.example.com"); err == nil {
		t.Error("an app that is not there has answered")
	}
}

func TestNamesBelowAWildcardHaveCertificatesOfTheirOwnOnDemand(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	site := Site{Domains: []string{"shop.example.com", "*.Shop.example.com"}, OnDemand: &roosttls.OnDemand{Allow: []string{"*.a.shop.example.com", "b.shop.example.com"}}, Target: Target{Root: b.folder(map[string]string{"index.html": "shop"})}}
	c := Config{Sites: []Site{site}}
	if w := c.certificates(); !slices.Equal(w.Names, []string{"shop.example.com"}) || len(w.OnDemand) != 1 || !slices.Equal(w.OnDemand[0].Names, []string{"*.shop.example.com"}) {
		t.Errorf("%+v", w)
	}
	b.settled(c)
	client := b.client(true)
	for _, name := range []string{"shop.example.com", "b.shop.example.com", "x.a.shop.example.com"} {
		if _, body := b.get(client, "https://"+name+"/"); body != "shop" {
			t.Errorf("%s: %s", name, body)
		}
	}
	for _, name := range []string{"c.shop.example.com", "other.example.com"} {
		if _, err := tls.Dial("tcp", b.address("https"), &tls.Config{ServerName: name}); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatOnDemandCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	os.Mkdir(dir+"/public", 0o755)
	for text, want := range map[string]string{
		"on_demand = {}":                                                             "site a.example.com: nothing says which names may have a certificate",
		"on_demand = { allow = [\"*\"] }":                                            `site a.example.com: "*" allows every name`,
		"on_demand = { allow = [\"a b\"] }":                                          `site a.example.com: "a b" is not a domain`,
		"on_demand = { allow = [\"printer.local\"] }":                                "site a.example.com: printer.local is not a public name",
		"on_demand = { ask = \"allowed\" }":                                          `site a.example.com: "allowed" is neither a URL nor a path`,
		"on_demand = { ask = \"https:///allowed\" }":                                 `site a.example.com: the URL "https:///allowed" names no host`,
		"on_demand = { ask = \"http://example.com/allowed\" }":                       "site a.example.com: what example.com answers cannot be trusted over http",
		"on_demand = { ask = \"/allowed\" }":                                         "site a.example.com: /allowed leads to no app of the site",
		"on_demand = { allow = [\"b.example.com\"], per_hour = -1 }":                 "site a.example.com: per_hour = -1: not a number of certificates",
		"on_demand = { allow = [\"b.example.com\"], per_second = 1 }":                `unknown key "per_second"`,
		"domains = [\"a.example.com\"]\non_demand = { allow = [\"b.example.com\"] }": "site a.example.com: on_demand is for names that nobody lists",
	} {
		domains := `domains = ["a.example.com", "*.example.com"]` + "\n"
		if strings.HasPrefix(text, "domains") {
			domains = ""
		}
		_, problems := Check(dir+"/roost.toml", []byte("[[site]]\n"+domains+text+"\nroot = \"public\"\n"), "")
		line := 1 + strings.Count(domains+text, "\n") + 1
		if !slices.ContainsFunc(problems, func(p Problem) bool {
			return p.Line == line && strings.HasPrefix(p.What, want) && p.Hint != ""
		}) {
			t.Errorf("%s\n%+v, want %s", text, problems, want)
		}
	}
}
