package cli

import (
	"testing"

	"roost/service/control"

	"github.com/google/go-cmp/cmp"
)

func TestAddressesAreThoseToOpen(t *testing.T) {
	sites := []control.Site{
		{Targets: []string{"/ → /srv/www", "/api/ → app web"}},
		{Domains: []string{"example.com", "www.example.com"}, Targets: []string{"/ → /srv/e"}},
	}
	for name, c := range map[string]struct {
		listeners []control.Listener
		want      []string
	}{
		"https first": {
			[]control.Listener{{Name: "http", Address: "[::]:8080"}, {Name: "https", Address: "[::]:8443"}},
			[]string{"https://localhost:8443/", "https://localhost:8443/api/", "https://example.com:8443/", "https://www.example.com:8443/"},
		},
		"no port that goes without saying": {
			[]control.Listener{{Name: "http", Address: "[::]:80"}, {Name: "https", Address: "[::]:443"}},
			[]string{"https://localhost/", "https://localhost/api/", "https://example.com/", "https://www.example.com/"},
		},
		"http where https is not bound": {
			[]control.Listener{{Name: "https", Address: ":443", Error: "taken"}, {Name: "http", Address: "127.0.0.1:80"}},
			[]string{"http://localhost/", "http://localhost/api/", "http://example.com/", "http://www.example.com/"},
		},
		"nothing listens": {nil, nil},
	} {
		var got []string
		for _, a := range addresses(c.listeners, sites) {
			got = append(got, a.url)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
