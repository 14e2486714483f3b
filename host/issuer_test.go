package host

import (
	"maps"
	"testing"
)

func TestTheIssuerOfASiteIsThatOfItsDomains(t *testing.T) {
	var c Config
	c.Sites = []Site{{Domains: []string{"a.example.com"}}, {Domains: []string{"VPN.example.com.", "*.vpn.example.com"}, Issuer: "internal"}}
	want := map[string]string{"vpn.example.com": "internal", "*.vpn.example.com": "internal"}
	if got := c.certificates().Issuers; !maps.Equal(got, want) {
		t.Errorf("issuers: %v, want %v", got, want)
	}
}
