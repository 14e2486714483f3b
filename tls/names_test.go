package tls

import (
	"strings"
	"testing"
)

func TestNamesThatNoPublicCAKnowsAreInternal(t *testing.T) {
	for name, want := range map[string]bool{
		"localhost": true, "docs.localhost": true, "a.b.localhost": true, "LOCALHOST": true, "localhost.": true,
		"printer.local": true, "db.internal": true, "nas.home.arpa": true, "mybox": true,
		"*.localhost": true, "*.lan": true, "*.shop.internal": true,
		"127.0.0.1": true, "::1": true, "10.1.2.3": true, "192.168.0.9": true, "172.16.0.1": true,
		"169.254.1.1": true, "fe80::1%eth0": true, "fd00::1": true, "100.64.0.1": true, "::ffff:10.0.0.1": true,
		"example.com": false, "*.example.com": false, "local.example.com": false, "mylocalhost.com": false,
		"203.0.113.5": false, "2001:db8::1": false, "": false, "*": false, "home.arpa.example.org": false,
	} {
		if got := Internal(name); got != want {
			t.Errorf("Internal(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestNamesHaveOneForm(t *testing.T) {
	for name, want := range map[string]string{
		"Example.COM.":     "example.com",
		"*.Example.com":    "*.example.com",
		"bücher.example":   "xn--bcher-kva.example",
		"*.bücher.example": "*.xn--bcher-kva.example",
		"[::1]":            "::1",
		"::ffff:127.0.0.1": "127.0.0.1",
		"fe80::1%eth0":     "fe80::1",
		"_dmarc.example":   "_dmarc.example",
	} {
		if got, err := canonical(name); err != nil || got != want {
			t.Errorf("canonical(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{
		"", "*", "a b.com", "../etc", "a..b", ".com", "a.*.com", "-a.com", "a-.com", "a/b", "x:80",
		"xn--\u00e9.com", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 127) + "com",
	} {
		if got, err := canonical(name); err == nil {
			t.Errorf("canonical(%q) = %q, want an error", name, got)
		}
	}
}

func FuzzCanonicalNamesStayAsTheyAre(f *testing.F) {
	for _, seed := range []string{"Example.com.", "*.bücher.example", "[::1]", "1.2.3.4", "a_b", "xn--zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		once, err := canonical(name)
		if err != nil {
			return
		}
		if twice, err := canonical(once); err != nil || twice != once {
			t.Errorf("canonical(%q) = %q, and of that %q, %v", name, once, twice, err)
		}
		Internal(name)
	})
}
