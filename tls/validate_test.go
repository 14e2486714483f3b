package tls

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roost/tls/dns01"
)

func TestWhatIsWrongWithAConfigIsToldAtOnce(t *testing.T) {
	ca := openCA(t, t.TempDir())
	if err := ca.ready(); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	hmac := filepath.Join(t.TempDir(), "hmac")
	if err := os.WriteFile(hmac, []byte("c2VjcmV0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		config Config
		want   string // keys and part of what is said
	}{
		{Config{}, ""},
		{Config{Issuer: "letsencrypt", Email: "ops@example.com"}, ""},
		{Config{Issuer: "internal"}, ""},
		{Config{Issuer: "zerossl", Email: "ops@example.com"}, ""},
		{Config{Issuer: "https://ca.example.com/acme/directory", CARoot: ca.rootCopy()}, ""},
		{Config{Issuer: "http://127.0.0.1:14000/dir"}, ""},
		{Config{Issuer: "letsencrypt", Staging: true, Profile: "shortlived"}, ""},
		{Config{Issuer: "zerossl", EAB: EAB{KeyID: "kid", HMACFile: hmac}}, ""},
		{Config{Issuer: "zerossl", EAB: EAB{KeyID: "kid"}}, "eab.hmac_file: eab has no HMAC key"},
		{Config{EAB: EAB{HMACFile: filepath.Join(t.TempDir(), "none")}}, "eab.key_id: eab names no key|eab.hmac_file: cannot read the HMAC key"},
		{Config{EAB: EAB{KeyID: "kid", HMACFile: ca.rootCopy()}}, "eab.hmac_file: the HMAC key is not base64url"},
		{Config{Issuer: "zerossl", Email: "ops@example.com", Staging: true}, "staging: only letsencrypt"},
		{Config{Profile: "short lived"}, `profile: "short lived" is no name`},
		{Config{DNS: dns01.Config{Provider: "rfc2136", Server: "ns1", KeyName: "roost", SecretFile: hmac}}, ""},
		{Config{DNS: dns01.Config{Provider: "webhook", URL: "http://192.168.1.2/"}}, ""},
		{Config{DNS: dns01.Config{Provider: "webhook", URL: "http://example.com/"}}, "dns.url: example.com cannot be trusted"},
		{Config{Issuer: "zerossl"}, "email: zerossl issues nothing"},
		{Config{Issuer: "letsencript"}, `issuer: unknown issuer "letsencript"`},
		{Config{Issuer: "https:///dir"}, "issuer: the URL"},
		{Config{Issuer: "http://ca.example.com/dir"}, "issuer: the ACME directory"},
		{Config{Issuer: "ftp://127.0.0.1/dir"}, "issuer: the ACME directory"},
		{Config{Email: "Ops <ops@example.com>"}, "email: "},
		{Config{CARoot: filepath.Join(t.TempDir(), "none")}, "ca_root: cannot read"},
		{Config{CARoot: text}, "ca_root: " + text + " holds no certificate"},
		{Config{Fallback: "none"}, ""},
		{Config{Fallback: "https://ca.example.com/dir", Issuer: "zerossl", Email: "ops@example.com"}, ""},
		{Config{Fallback: "zerossl"}, "email: zerossl issues nothing"},
		{Config{Fallback: "zerossl", EAB: EAB{KeyID: "kid", HMACFile: hmac}}, "email: zerossl issues nothing"},
		{Config{Fallback: "letsencrypt"}, "fallback: letsencrypt is the issuer already"},
		{Config{Fallback: "internal"}, "fallback: no browser trusts"},
		{Config{Fallback: "zeroSSL", Issuer: "internal"}, `fallback: unknown issuer "zeroSSL"|fallback: only a CA`},
		{Config{Fallback: "letsencrypt", Issuer: "internal"}, "fallback: only a CA"},
		{Config{Fallback: "https://ca.example.com/dir", Staging: true}, "fallback: only a CA"},
		{Config{Issuer: "nobody", Email: "nobody", CARoot: text}, "issuer: |email: |ca_root: "},
	} {
		var all []string
		for _, c := range ValidateConfig(tt.config) {
			all = append(all, c.Key+": "+c.What)
			if c.Hint == "" {
				t.Errorf("%+v: no hint", c)
			}
		}
		got, want := all, strings.Split(tt.want, "|")
		if tt.want == "" {
			want = nil
		}
		if len(got) != len(want) {
			t.Errorf("%+v: %q, want %q", tt.config, got, want)
			continue
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%+v: %q, want %q", tt.config, got, want)
			}
		}
	}
}
