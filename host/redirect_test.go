package host

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPlainRequestsAreSentToTheSameAddressOnHTTPS(t *testing.T) {
	for _, test := range []struct {
		host, target string
		port         int
		want         string
	}{
		{"a.test", "/", 443, "https://a.test/"},
		{"a.test:80", "/", 443, "https://a.test/"},
		{"a.test:8080", "/x", 8443, "https://a.test:8443/x"},
		{"[::1]:8080", "/x", 8443, "https://[::1]:8443/x"},
		{"[::1]", "/x", 443, "https://[::1]/x"},
		{"127.0.0.1", "/x", 443, "https://127.0.0.1/x"},
		{"a.test", "/x?a=b;c&d=%2F", 443, "https://a.test/x?a=b;c&d=%2F"},
		{"a.test", "/x?", 443, "https://a.test/x?"},
		{"a.test", "/%2e%2e/x%2Fy", 443, "https://a.test/%2e%2e/x%2Fy"},
		{"a.test", "//evil.test/x", 443, "https://a.test//evil.test/x"},
		{"a.test", "http://b.test/x", 443, "https://a.test/x"},
		{"", "/", 443, ""},
		{"a.test", "/", 0, ""},
		{"::1", "/", 443, "https://[::1]/"},
		{"a:b:c", "/", 443, ""},
		{"[a.test]:1:2", "/", 443, ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if strings.HasPrefix(test.target, "//") { // NewRequest takes it for a host
			r.URL.Path = test.target
		} else {
			r = httptest.NewRequest("GET", test.target, nil)
		}
		r.Host = test.host
		if got := redirectHTTPS(r, test.port); got != test.want {
			t.Errorf("%s%s: %s, want %s", test.host, test.target, got, test.want)
		}
	}
	for host, want := range map[string]bool{
		"a.test": true, "a.test:80": true, "[::1]:80": true, "a_b.test": true, "": true,
		"a.test/x": false, "u@a.test": false, "a b": false, "a\"b": false, "a<b": false, "a\\b": false, "b\xfccher.test": false, "a,b": false, "a?b": false, "a:": true, "[::1]": true,
		"a:b": false, "a:123456": false, "::1": false, "[::1": false, "::1]": false, "a[::1]": false, "[::1]x": false, "[[::1]]": false,
	} {
		if got := validHost(host); got != want {
			t.Errorf("validHost(%q) = %v", host, got)
		}
	}
}
