//go:build unix

package apps

import (
	"log/slog"
	"net/http"
	"os"
	"testing"
)

// The cost of asking an instance once, with what the instance does for it where
// that is in the same process (http, tcp). At the default interval an instance
// is asked every ten seconds.
//
//	go test -run - -bench Ask -benchmem ./apps
func BenchmarkAsk(b *testing.B) {
	p := &program{launch: launch{wanted: &Wanted{}}, runDir: b.TempDir(), log: slog.New(slog.DiscardHandler)}
	p.endpoint = runInstance(b, func(http.ResponseWriter, *http.Request) {})
	s := &setup{env: map[string]string{"PATH": os.Getenv("PATH")}}
	for name, c := range map[string]*Check{"http": {HTTP: "/"}, "tcp": {TCP: theInstance}, "exec": {Exec: Words{"true"}}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := p.ask(b.Context(), c, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
