package service_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unchecked are the functions of tests that get answers which httplint does
// not see, and why.
var unchecked = map[string]string{
	"apps/bench_test.go BenchmarkForward":                                           "measures",
	"static/bench_test.go BenchmarkLargeFile":                                       "measures",
	"host/figures_test.go BenchmarkFront":                                           "measures",
	"apps/queue_test.go hold":                                                       "nobody answers; how long requests wait is what is looked at",
	"apps/queue_test.go TestTheQueueHasTheLengthAndTheTimeThatItIsGiven":            "how long requests wait is what is looked at",
	"apps/queue_test.go TestAStoppedAppIsRefusedAtOnceAndWakesThoseThatWait":        "how long requests wait is what is looked at",
	"apps/queue_test.go TestAClientThatGoesLeavesTheQueue":                          "the client has gone",
	"apps/app_test.go TestRequestsToAStoppedAppAreRefusedAtOnce":                    "the client has gone",
	"apps/live_test.go getPort":                                                     "asks the app itself, with nothing of ours in between",
	"apps/node/instance_test.go get":                                                "asks the app itself, with nothing of ours in between",
	"examples/examples_test.go TestTheNodeExampleIsReachedBothWays":                 "asks the app itself, with nothing of ours in between",
	"host/http3_wire_test.go TestNothingIsAnsweredBeforeTheHandshakeHasEnded":       "whether there is an answer is what is looked at",
	"service/stream_test.go TestAnAnswerThatHasEndedByAFaultGivesNoMoreSignsOfLife": "there is no answer",
	"apps/upstream/answer_test.go theirs":                                           "net/http is what ours is held against",
	"internal/http1/answer_test.go FuzzChunks":                                      "net/http is what ours is held against",
	"static/dev_test.go TestDevLetsGoOfPagesAtItsEnd":                               "that events end is what is looked at",
	"static/sendfile_test.go TestPartsAreOfOneState":                                "the answer is broken off",
	"static/site_test.go":                                                           "httplint is put above it where it is used",
	"static/folder_test.go TestErrorsGoThroughTheGivenFunction":                     "the answers are the test's own",
}

// TestFilesOfTestsHaveEveryAnswerChecked finds what asks over HTTP in tests without
// httplint under it: a client or transport of its own, an answer read by
// net/http, a recorder, and http.DefaultTransport where TestMain has not put
// httplint under it.
func TestFilesOfTestsHaveEveryAnswerChecked(t *testing.T) {
	type use struct{ where, what string }
	byDefault, runs, excused := map[string][]use{}, map[string]bool{}, map[string]bool{}
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || slices.Contains([]string{"node_modules", "testdata", "httplint"}, d.Name())) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		dir := path.Dir(name)
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", name), nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			where := name
			if fn, ok := decl.(*ast.FuncDecl); ok {
				where += " " + fn.Name.Name
			}
			recorded := mentions(decl, "httplint.Recorded")
			runs[dir] = runs[dir] || mentions(decl, "httplint.Run") || mentions(decl, "httplint.Main")
			ast.Inspect(decl, func(n ast.Node) bool {
				what, through := asks(n, recorded)
				switch {
				case what == "":
				case unchecked[where] != "":
					excused[where] = true
				case through:
					byDefault[dir] = append(byDefault[dir], use{where, what})
				default:
					t.Errorf("%s: %s without httplint; use its Transport, Read or Record, or say in unchecked why not", where, what)
				}
				return !isChecked(n)
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, uses := range byDefault {
		if !runs[dir] {
			t.Errorf("%s: %s, and TestMain of %s does not call httplint.Run", uses[0].where, uses[0].what, dir)
		}
	}
	for where := range unchecked {
		if !excused[where] {
			t.Errorf("unchecked: %s asks for nothing", where)
		}
	}
}

// asks says what a node does to get an answer, "" for nothing, and whether it
// does so through http.DefaultTransport.
func asks(n ast.Node, recorded bool) (what string, byDefault bool) {
	switch n := n.(type) {
	case *ast.CompositeLit:
		switch name := qualified(n.Type); name {
		case "http.Transport", "http2.Transport", "http3.Transport":
			return name, false
		case "http.Client":
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok && kv.Key.(*ast.Ident).Name == "Transport" {
					return "", false
				}
			}
			return name, true
		}
	case *ast.SelectorExpr:
		switch name := qualified(n); name {
		case "http.ReadResponse":
			return name, false
		case "httptest.NewRecorder":
			if !recorded {
				return name, false
			}
		case "http.Get", "http.Head", "http.Post", "http.PostForm", "http.DefaultClient", "http.DefaultTransport":
			return name, true
		}
		// The client of an httptest.Server.
		if call, ok := n.X.(*ast.CallExpr); ok && len(call.Args) == 0 && n.Sel.Name != "Transport" {
			if of, ok := call.Fun.(*ast.SelectorExpr); ok && of.Sel.Name == "Client" {
				return "the client of a test's server", false
			}
		}
	}
	return "", false
}

// isChecked tells whether what n is made of has httplint above it.
func isChecked(n ast.Node) bool {
	lit, ok := n.(*ast.CompositeLit)
	return ok && qualified(lit.Type) == "httplint.Transport"
}

func mentions(in ast.Node, name string) (found bool) {
	ast.Inspect(in, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok {
			found = found || qualified(e) == name
		}
		return !found
	})
	return found
}

// qualified is an expression such as http.Client as it is written.
func qualified(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok {
			return x.Name + "." + s.Sel.Name
		}
	}
	return ""
}
