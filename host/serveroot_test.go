package host

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"

	rtls "roost/tls"
)

func TestTheRootIsFetchedBeforeHTTPSCanBeTrusted(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := Config{Sites: []Site{{Domains: []string{"a.localhost"}, Target: Target{Root: b.folder(map[string]string{"index.html": "hello"})}}}}
	b.settled(c)
	plain := b.client(false)
	if res, _ := b.get(plain, "http://a.localhost"+rtls.RootPath); res.StatusCode != http.StatusPermanentRedirect {
		t.Errorf("not enabled: %d", res.StatusCode)
	}
	c.TLS.ServeRoot = true
	b.settled(c)
	// By any name: whoever does not trust the box yet may not have set up its names either.
	for _, url := range []string{"http://a.localhost", "http://127.0.0.1", "http://elsewhere.example"} {
		res, text := b.get(plain, url+rtls.RootPath)
		pool := x509.NewCertPool()
		if res.StatusCode != 200 || !pool.AppendCertsFromPEM([]byte(text)) {
			t.Fatalf("%s: %d %s", url, res.StatusCode, text)
		}
		conn, err := tls.Dial("tcp", b.address("https"), &tls.Config{ServerName: "a.localhost", RootCAs: pool})
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	if res, _ := b.get(b.client(true), "https://a.localhost"+rtls.RootPath); res.StatusCode != http.StatusNotFound {
		t.Errorf("over HTTPS: %d", res.StatusCode)
	}
	if res, _ := b.get(plain, "http://a.localhost/"); res.StatusCode != http.StatusPermanentRedirect {
		t.Errorf("the site: %d", res.StatusCode)
	}
}
