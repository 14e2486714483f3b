// Package testcache finds what tests need and make deps has installed: npm
// packages, and with them Node in other versions, and programs written in Go.
package testcache

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// NPM returns the folder in which the packages are installed, in node_modules,
// that the package-lock.json in folder names.
func NPM(t testing.TB, folder string) string {
	t.Helper()
	return find(t, "npm", folder)
}

// find asks a script of this folder where what a folder names is.
func find(t testing.TB, script, folder string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(here(), script), "-n", folder)
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, words.String())
	}
	return strings.TrimSpace(string(out))
}

// H2spec returns the path of h2spec, which tests servers of HTTP/2.
func H2spec(t testing.TB) string {
	t.Helper()
	return find(t, "gotool", filepath.Join(here(), "h2spec"))
}

// Versions are the major versions of Node that tests may run in.
var Versions = []int{18, 20, 22, 24}

// Node returns the path of Node in a major version.
func Node(t testing.TB, version int) string {
	t.Helper()
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	modules := NPM(t, filepath.Join(here(), "..", "..", "apps", "testdata", "npm"))
	path := filepath.Join(modules, "node_modules", fmt.Sprintf("node%d-%s-%s", version, runtime.GOOS, arch), "bin", "node")
	if _, err := exec.LookPath(path); err != nil {
		t.Fatalf("node %d is missing (%v); install it: make deps", version, err)
	}
	return path
}

// here is the folder of this file.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}
