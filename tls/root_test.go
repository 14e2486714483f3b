package tls

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"roost/internal/httplint"
)

func TestTheInternalCAIsToldOf(t *testing.T) {
	c, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := c.CA()
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode([]byte(ca.Certificate))
	if block == nil || len(rest) > 0 {
		t.Fatalf("certificate: %s", ca.Certificate)
	}
	sum := sha256.Sum256(block.Bytes)
	if got, err := hex.DecodeString(strings.ReplaceAll(ca.Fingerprint, ":", "")); err != nil || string(got) != string(sum[:]) || strings.Count(ca.Fingerprint, ":") != 31 {
		t.Errorf("fingerprint %s of %x", ca.Fingerprint, sum)
	}
	if text, err := os.ReadFile(ca.File); err != nil || string(text) != ca.Certificate {
		t.Errorf("file %s: %s, %v", ca.File, text, err)
	}
	if !strings.HasPrefix(ca.Subject, "Roost Internal CA ") || !strings.Contains(ca.Intermediate, "Intermediate") || !ca.IntermediateExpires.Before(ca.Expires) {
		t.Errorf("%+v", ca)
	}
	if Trusted(ca.Certificate) || Trusted("nonsense") || Trusted(string(certificatePEM([]byte("nonsense")))) {
		t.Error("trusted here")
	}
	if err := os.WriteFile(c.ca.rootFile(), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.ca.root = nil
	if _, err := c.CA(); err == nil || !strings.Contains(err.Error(), "cannot use the internal CA's root") {
		t.Errorf("a damaged one: %v", err)
	}
}

func TestTheRootIsHandedOutOverPlainHTTPOnlyWhereWanted(t *testing.T) {
	c := running(t, Options{}, nil)
	server := httptest.NewServer(c.Plain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "next", http.StatusTeapot) })))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &httplint.Transport{T: t, Base: new(http.Transport)}}
	t.Cleanup(client.CloseIdleConnections)
	ask := func(method, path string, header ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(text)
	}
	for round, on := range []bool{false, true, false, true} {
		c.Want(Want{Config: Config{ServeRoot: on}})
		settle(t, c)
		res, text := ask("GET", RootPath)
		if !on {
			if res.StatusCode != http.StatusTeapot {
				t.Errorf("round %d: handed out where nobody wants it: %d %s", round, res.StatusCode, text)
			}
			continue
		}
		ca, err := c.CA()
		if err != nil {
			t.Fatal(err)
		}
		h := res.Header
		if res.StatusCode != 200 || text != ca.Certificate || strings.Contains(text, "KEY") || h.Get("Content-Type") != "application/pem-certificate-chain" || h.Get("Cache-Control") != "no-cache" {
			t.Errorf("round %d: %d, %v: %s", round, res.StatusCode, h, text)
		}
		if res, text := ask("HEAD", RootPath); res.StatusCode != 200 || text != "" || res.ContentLength != int64(len(ca.Certificate)) {
			t.Errorf("HEAD: %d, %d bytes", res.StatusCode, res.ContentLength)
		}
		if res, _ := ask("GET", RootPath, "If-None-Match", h.Get("ETag")); res.StatusCode != http.StatusNotModified || h.Get("ETag") == "" {
			t.Errorf("with the ETag %s: %d", h.Get("ETag"), res.StatusCode)
		}
		if res, _ := ask("POST", RootPath); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST: %d, %v", res.StatusCode, res.Header)
		}
		for _, path := range []string{RootPath + "/", RootPath + "x", "/.well-known/roost/", "/.well-known/acme-challenge/x", "/roost/ca.pem", "/"} {
			if res, _ := ask("GET", path); res.StatusCode != http.StatusTeapot {
				t.Errorf("%s: %d", path, res.StatusCode)
			}
		}
	}
}
