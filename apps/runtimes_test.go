//go:build unix

package apps

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"roost/internal/testcache"
)

// runtimePath is a program out of the packages for tests, by the names of its
// package on amd64 and arm64.
func runtimePath(t *testing.T, amd64, arm64, name string) string {
	t.Helper()
	pkg := map[string]string{"amd64": amd64, "arm64": arm64}[runtime.GOARCH]
	path := filepath.Join(testcache.NPM(t, "testdata/npm"), "node_modules", pkg, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v; install it: make deps", err)
	}
	return path
}

func TestBunAndDenoListenOnTheirPrivatePort(t *testing.T) {
	for name, run := range map[string]struct{ interpreter, text string }{
		"bun": {runtimePath(t, "@oven/bun-linux-x64", "@oven/bun-linux-aarch64", "bin/bun"),
			`Bun.serve({ port: process.env.PORT, hostname: process.env.HOST, fetch: () => new Response('bun ' + process.env.NODE_APP_INSTANCE) })`},
		"bun with node:http": {runtimePath(t, "@oven/bun-linux-x64", "@oven/bun-linux-aarch64", "bin/bun"),
			`import http from 'node:http'
			http.createServer((req, res) => res.end('bun ' + process.env.NODE_APP_INSTANCE)).listen(process.env.PORT)`},
		"deno": {runtimePath(t, "@deno/linux-x64-glibc", "@deno/linux-arm64-glibc", "deno"),
			`Deno.serve({ port: +Deno.env.get('PORT'), hostname: Deno.env.get('HOST') }, () => new Response('deno ' + Deno.env.get('NODE_APP_INSTANCE')))`},
	} {
		t.Run(name, func(t *testing.T) {
			a := live(t)
			w := a.script(a.file("app.ts", run.text), 2)
			w.Interpreter, w.Serves = run.interpreter, true
			w.Env = map[string]string{"DENO_DIR": filepath.Join(a.dir, "deno")}
			a.want(w)
			if st := a.Status(); st.Kind != "port" {
				t.Errorf("kind %q", st.Kind)
			}
			seen := map[string]bool{}
			for range 20 {
				_, body := a.get("/")
				seen[body] = true
			}
			who, _, _ := strings.Cut(name, " ")
			if len(seen) != 2 || !seen[who+" 0"] || !seen[who+" 1"] {
				t.Errorf("answers %v, want from both", seen)
			}
		})
	}
}

func TestStackTracesAreMapped(t *testing.T) {
	a := live(t)
	// what tsc makes of a function fail that throws in line 3 of app.ts
	a.file("app.ts", "type Name = string\nfunction fail(who: Name): never {\n  throw new Error('mapped ' + who)\n}\nfail('you')\n")
	a.file("app.js.map", `{"version":3,"file":"app.js","sourceRoot":"","sources":["app.ts"],"names":[],"mappings":"AACA,SAAS,IAAI,CAAC,GAAS;IACrB,MAAM,IAAI,KAAK,CAAC,SAAS,GAAG,GAAG,CAAC,CAAA;AAClC,CAAC;AACD,IAAI,CAAC,KAAK,CAAC,CAAA"}`)
	w := a.node("app.js", "function fail(who) {\n    throw new Error('mapped ' + who);\n}\nfail('you');\n//# sourceMappingURL=app.js.map", 1)
	for _, mapped := range []bool{true, false} {
		w = next(w)
		w.SourceMapSupport = &mapped
		err := a.try(w)
		f, _ := err.(*Failure)
		if f == nil {
			t.Fatalf("Settle = %v", err)
		}
		said := strings.Join(f.Output, "\n")
		if got := strings.Contains(said, "app.ts:3:"); got != mapped || !strings.Contains(said, "mapped you") {
			t.Errorf("with source_map_support = %v it said:\n%s", mapped, said)
		}
	}
}
