package tls

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/smallstep/truststore"
)

// testStore makes truststore use folders and commands of the test's own.
func testStore(t *testing.T, commands map[string]string) (root, store string) {
	t.Helper()
	bin, store := t.TempDir(), t.TempDir()
	for name, script := range commands {
		path := filepath.Join(bin, name)
		if script == "" {
			real, err := exec.LookPath(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(real, path); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin) // neither sudo nor certutil
	file, command := truststore.SystemTrustFilename, truststore.SystemTrustCommand
	t.Cleanup(func() { truststore.SystemTrustFilename, truststore.SystemTrustCommand = file, command })
	truststore.SystemTrustFilename = filepath.Join(store, "%s.crt")
	truststore.SystemTrustCommand = []string{"update-test-certificates"}

	ca := openCA(t, t.TempDir())
	if err := ca.ready(); err != nil {
		t.Fatal(err)
	}
	return ca.rootCopy(), store
}

func TestTheRootIsTrustedAndNoMoreTrusted(t *testing.T) {
	root, store := testStore(t, map[string]string{"tee": "", "rm": "", "update-test-certificates": "exit 0"})
	for range 2 {
		if err := InstallRoot(root); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(store, "Roost_Internal_CA_*.crt"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	want, _ := os.ReadFile(root)
	if got, _ := os.ReadFile(files[0]); !bytes.Equal(got, want) {
		t.Errorf("installed %q", got)
	}
	for range 2 {
		if err := UninstallRoot(root); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := os.ReadDir(store); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestWithoutPermissionTheCommandIsTold(t *testing.T) {
	root, _ := testStore(t, map[string]string{"tee": "echo Permission denied >&2; exit 1", "rm": "echo Permission denied >&2; exit 1"})
	for _, err := range []error{InstallRoot(root), UninstallRoot(root)} {
		if err == nil || !strings.Contains(err.Error(), "Permission denied") || !strings.Contains(err.Error(), "sudo update-test-certificates") || !strings.Contains(err.Error(), root) {
			t.Errorf("error: %v", err)
		}
	}
}

func TestWithoutAKnownTrustStoreThePlaceOfTheRootIsTold(t *testing.T) {
	root, _ := testStore(t, nil)
	truststore.SystemTrustFilename, truststore.SystemTrustCommand = "", nil
	for _, err := range []error{InstallRoot(root), UninstallRoot(root)} {
		if err == nil || !strings.Contains(err.Error(), "not known") || !strings.Contains(err.Error(), root) {
			t.Errorf("error: %v", err)
		}
	}
	if err := InstallRoot(filepath.Join(t.TempDir(), "none.pem")); err == nil {
		t.Error("installed a file that is not there")
	}
}
