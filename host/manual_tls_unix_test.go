//go:build unix

package host

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"roost/internal/testca"
)

// named are the files that configs of docs/tls.md name, with something good in them.
var named = map[string]string{
	"public/index.html": "hello",
	"tsig.key":          "c2VjcmV0",
	"acme-dns.json":     `{"username":"u","password":"p","subdomain":"s"}`,
	"hook.token":        "token",
	"eab.key":           "c2VjcmV0",
	"shops.sh":          "sleep 1000",
	"storage.key":       "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
	"redis.password":    "secret",
}

func TestEveryConfigOfTheManualOfCertificatesIsGood(t *testing.T) {
	text, err := os.ReadFile("../docs/tls.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range named {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ca := testca.New(t, "Root")
	ca.WriteRoot(filepath.Join(dir, "people.pem"))
	ca.Write(dir, nil, "example.com", "*.example.com")
	for to, from := range map[string]string{"fullchain.pem": "cert.pem", "privkey.pem": "key.pem"} {
		if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	configs := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(configs) < 7 {
		t.Fatalf("%d configs in docs/tls.md", len(configs))
	}
	for _, config := range configs {
		if _, problems := Check(filepath.Join(dir, "roost.toml"), []byte(config[1]), ""); len(problems) > 0 {
			t.Errorf("%s\n%v", config[1], Problems(problems))
		}
	}
}
