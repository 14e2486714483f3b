package service_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// layers is the order of the packages: each may import only those on an
// earlier line. It is a statement of policy, as go/build's depsRules are; do
// not change it to make a build pass.
var layers = []string{
	"internal/dateformat internal/durable internal/http1 internal/nearest internal/rotated internal/script internal/socket internal/testca internal/testcache internal/testdns internal/testport internal/testredis internal/unit",
	"internal/httplint",
	"apps/node apps/upstream apps/ecosystem static/rules tls/dns01 tls/redisstore",
	"static apps tls host/express",
	"host",
	"service/control",
	"service/dashboard service/deploy service/dump service/install service/monit service/logtext",
	"service",
	"service/foreground",
	"service/cli",
	"service/pm2",
	".",
}

func TestPackagesImportOnlyWhatLiesBelowThem(t *testing.T) {
	const module = "roost"
	rank := map[string]int{}
	for i, line := range layers {
		for pkg := range strings.FieldsSeq(line) {
			rank[pkg] = i
		}
	}
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "node_modules" || d.Name() == "testdata" || name == "examples" || name == "bench") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		from := path.Dir(name)
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		if _, ok := rank[from]; !ok {
			t.Errorf("%s: its package is not in layers", name)
		}
		for _, spec := range f.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			if imp == "crypto/tls" && from != "tls" {
				t.Errorf("%s: imports crypto/tls; only package tls may", name)
			}
			if to, ok := strings.CutPrefix(imp, module+"/"); ok && rank[to] >= rank[from] {
				t.Errorf("%s: imports %s, which is not below it", name, to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesHoldOneNoun(t *testing.T) {
	const most = 400 // lines; more means two nouns in one file
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join("..", name))
		if n := strings.Count(string(text), "\n"); n > most {
			t.Errorf("%s has %d lines, more than %d", name, n, most)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
