//go:build system && unix

package host

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"roost/internal/testca"
)

// finding is one of testssl.sh's report.
type finding struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Finding  string `json:"finding"`
}

// passed are the severities that nobody has to look at. All others are MEDIUM
// and worse, or say that something could not be tested: WARN, FATAL.
var passed = map[string]bool{"OK": true, "INFO": true, "LOW": true}

// ofThePlace are findings about where a test runs, not about handshakes.
var ofThePlace = map[string]string{
	"engine_problem": "this openssl has no engine for ciphers of GOST, which nobody offers here",
}

// testssl runs testssl.sh against name at an address and returns all that it
// finds. Nothing outside the machine is asked: no DNS, no responder, no list.
func testssl(t *testing.T, address, name string, args ...string) (all []finding) {
	t.Helper()
	program, err := exec.LookPath("testssl")
	if err != nil {
		t.Fatal("testssl.sh is missing; install it: make deps-system")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report.json")
	args = append([]string{"--quiet", "--color=0", "--warnings=batch", "--nodns=none", "--ip=" + host, "--jsonfile=" + report}, args...)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // a minute where nothing else runs
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append(args, "https://"+name+":"+port+"/")...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	said, err := cmd.CombinedOutput() // fails when something could not be tested, which is a finding
	text, unread := os.ReadFile(report)
	if unread == nil {
		unread = json.Unmarshal(text, &all)
	}
	if unread != nil {
		t.Fatalf("%v, %v: %s", unread, err, said)
	}
	return all
}

// TestSystemTestsslFindsNothingAboveLow has testssl.sh try all that it knows on
// a site with a certificate that it trusts: protocols, ciphers, orders of them,
// known attacks, the handshakes of browsers of the last years, the certificate,
// and the fields of an answer.
func TestSystemTestsslFindsNothingAboveLow(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	ca := testca.New(t, "Root")
	dir := b.folder(map[string]string{"public/index.html": "hello"})
	trust := filepath.Join(dir, "root.pem")
	ca.WriteRoot(trust)
	ca.Write(dir, func(as *x509.Certificate) {
		as.NotAfter = time.Now().Add(200 * 24 * time.Hour)
		as.KeyUsage, as.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		as.CRLDistributionPoints = []string{"http://crl.example/root.crl"} // never asked
	}, "own.example", "127.0.0.1") // some tests send no name
	b.settled(Config{Sites: []Site{{
		Domains: []string{"own.example", "127.0.0.1"}, Target: Target{Root: filepath.Join(dir, "public")},
		Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
	}}})
	found := map[string]finding{}
	for _, f := range testssl(t, b.address("https"), "own.example", "--add-ca="+trust) {
		found[f.ID] = f
		if _, known := ofThePlace[f.ID]; !passed[f.Severity] && !known {
			t.Errorf("%s: %s: %s", f.ID, f.Severity, f.Finding)
		}
	}
	// That it met the box, and not an error: what only a whole test finds.
	for id, want := range map[string]string{
		"TLS1": "INFO", "TLS1_1": "INFO", "TLS1_2": "OK", "TLS1_3": "OK", "ALPN_HTTP2": "OK", "PFS": "OK", "cert_chain_of_trust": "OK", "cert_trust": "OK",
		"cert_expirationStatus": "OK", "secure_renego": "OK", "secure_client_renego": "OK", "heartbleed": "OK", "ROBOT": "OK", "LUCKY13": "OK", "RC4": "OK", "cipherlist_NULL": "OK",
		"HTTP_status_code": "INFO", "clientsimulation-firefox_66_win81": "INFO",
	} {
		if f := found[id]; f.Severity != want {
			t.Errorf("%s: %q, want %s: %s", id, f.Severity, want, f.Finding)
		}
	}
}

// TestSystemTestsslFindsWhatIsWrongElsewhere holds that it can: a server with a broken cipher.
func TestSystemTestsslFindsWhatIsWrongElsewhere(t *testing.T) {
	t.Parallel()
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_RC4_128_SHA}}
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.StartTLS()
	defer old.Close()
	all := testssl(t, old.Listener.Addr().String(), "own.example", "--rc4")
	if !slices.ContainsFunc(all, func(f finding) bool { return f.ID == "RC4" && !passed[f.Severity] }) {
		t.Errorf("RC4 is not found: %v", all)
	}
}
