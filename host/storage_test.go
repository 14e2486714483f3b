package host

import (
	cryptotls "crypto/tls"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"roost/internal/testredis"
	"roost/tls"
)

func TestTheConfigOfASharedStorageIsHeldAgainstItsFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"good.key": strings.Repeat("6b", 32), "short.key": "a2tr", "empty": "\n", "open.key": strings.Repeat("6b", 32)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "open.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	const url = `storage = "redis://redis.example.com:6379/0"` + "\n"
	for _, c := range []struct {
		text string
		want []string // parts of the problems, in order
	}{
		{url + `storage_key_file = "good.key"`, nil},
		{`storage = "unix:///run/redis.sock?db=1"` + "\n" + `storage_key_file = "good.key"`, nil},
		{url, []string{"roost.toml:1: what is stored in Redis is encrypted", "openssl rand -base64 32"}},
		{url + `storage_key_file = "short.key"`, []string{"roost.toml:3: ", "short.key holds no key: want 32 bytes, not 3", "openssl rand -base64 32"}},
		{url + `storage_key_file = "none.key"`, []string{"roost.toml:3: cannot read the key of the storage"}},
		{`storage = "https://ann:secret@example.com"` + "\n" + `storage_key_file = "good.key"`, []string{"roost.toml:2: storage is not the URL of a server of Redis", "redis://"}},
		{`storage_key_file = "good.key"`, []string{"roost.toml:2: storage_key_file is for a shared storage, and there is none"}},
		{url + `storage_key_file = "good.key"` + "\n" + `storage_password_file = "empty"`, []string{"roost.toml:4: storage: cannot read its password: ", "is empty"}},
		{url + `storage_key_file = "good.key"` + "\n" + `storage_password_env = "ROOST_NOT_SET"`, []string{"roost.toml:4: storage: cannot read its password: the variable ROOST_NOT_SET is empty"}},
		{`storage = "redis://:secret@x"` + "\n" + `storage_key_file = "good.key"` + "\n" + `storage_password_file = "good.key"`, []string{"roost.toml:2: storage has more than one password"}},
		{url + `storage_key_file = "open.key"`, []string{"roost.toml:3: ", "open.key can be read by others (-rw-r--r--): chmod 600"}},
	} {
		if runtime.GOOS == "windows" && strings.Contains(c.text, "open.key") {
			continue
		}
		_, problems := Check(filepath.Join(dir, "roost.toml"), []byte("[tls]\n"+c.text+"\n"), "")
		said := Problems(problems).Error()
		if len(c.want) == 0 && len(problems) > 0 || len(c.want) > 0 && len(problems) != 1 {
			t.Errorf("%s\n%s", c.text, said)
		}
		for _, part := range c.want {
			if !strings.Contains(said, part) {
				t.Errorf("%s\n%s\nwant %s", c.text, said, part)
			}
		}
		if strings.Contains(said, "secret") {
			t.Errorf("the password is shown: %s", said)
		}
	}
}

func TestThePasswordOfTheStorageIsNotInAPlan(t *testing.T) {
	old := Config{TLS: tls.Config{Storage: "redis://ann:one@redis.example.com/0"}}
	changed := Config{TLS: tls.Config{Storage: "redis://ann:two@redis.example.com/0"}}
	for _, pair := range [][2]Config{{{}, old}, {old, changed}, {old, {}}} {
		changes := Diff(pair[0], pair[1])
		if len(changes) != 1 || !strings.Contains(changes[0].Detail, "storage: ") {
			t.Fatalf("%v", changes)
		}
		if d := changes[0].Detail; strings.Contains(d, "one") || strings.Contains(d, "two") || !strings.Contains(d, "redis://ann@redis.example.com/0") {
			t.Errorf("detail: %s", d)
		}
	}
}

// TestTwoHostsThatShareAStorageServeOneCertificate has both want it at once;
// the CA connects to the first alone.
func TestTwoHostsThatShareAStorageServeOneCertificate(t *testing.T) {
	server := testredis.Start(t)
	key := filepath.Join(t.TempDir(), "storage.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("6b", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	boxes := []*box{newBox(t), newBox(t)}
	config := Config{Host: Listen{HTTP: "127.0.0.1:0", HTTPS: "127.0.0.1:0"}}
	config.Sites = []Site{{Domains: []string{"plain.localhost"}, Target: Target{Root: boxes[0].folder(map[string]string{"index.html": "hello"})}}}
	for _, b := range boxes {
		b.settled(config)
	}
	port := func(kind string) int {
		_, text, _ := strings.Cut(boxes[0].address(kind), ":")
		n, _ := strconv.Atoi(text)
		return n
	}
	directory, rootFile, trusted := pebble(t, port("http"), port("https"))
	config.TLS = tls.Config{Issuer: directory, CARoot: rootFile, Storage: tls.StorageURL(server.URL), StorageKeyFile: key}
	config.Sites = append(config.Sites, Site{Domains: []string{"two.example"}, Target: config.Sites[0].Target})
	for _, b := range boxes {
		b.settled(config)
	}
	serial := func(b *box) string {
		conn, err := cryptotls.Dial("tcp", b.address("https"), &cryptotls.Config{ServerName: "two.example", RootCAs: trusted})
		if err != nil {
			return ""
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	until(t, "both serve the same certificate", func() bool { s := serial(boxes[0]); return s != "" && s == serial(boxes[1]) })

	// Without the storage all goes on, and status says so.
	server.Stop()
	for _, b := range boxes {
		config.Sites[1].Domains = []string{"two.example", "more.example"}
		b.settled(config)
		until(t, "the problem is in status", func() bool {
			return strings.Contains(strings.Join(b.Status().Problems, "\n"), "the storage "+server.URL+" cannot be reached")
		})
		if serial(b) == "" {
			t.Error("the certificate is not served any more")
		}
		if _, body := b.get(b.client(true), "https://plain.localhost/"); body != "hello" {
			t.Errorf("the private site: %s", body)
		}
	}
	server.Start(t)
	until(t, "the problem is gone, and the new domain has its certificate", func() bool {
		return len(boxes[0].Status().Problems)+len(boxes[1].Status().Problems) == 0 &&
			boxes[0].valid("more.example") && boxes[1].valid("more.example")
	})
}

func (b *box) valid(name string) bool {
	for _, c := range b.Status().Certificates {
		if c.Name == name {
			return c.State == tls.Valid
		}
	}
	return false
}
