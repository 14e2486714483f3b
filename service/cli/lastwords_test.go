package cli

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"roost/service/control"

	"github.com/google/go-cmp/cmp"
)

func TestWhyADaemonDidNotStartIsReadFromItsLastWords(t *testing.T) {
	for name, c := range map[string]struct {
		words string
		want  control.Error
	}{
		"nothing said": {"", control.Error{Code: control.CodeFailed, Message: "the daemon ended at once", Hint: "look"}},
		"a message":    {"roost: no space\nhint: make some\n", control.Error{Code: control.CodeFailed, Message: "cannot start a daemon: no space", Hint: "make some"}},
		"problems": {"/r.toml:1: a\n/r.toml:2: b\nroost: 2 problems\n",
			control.Error{Code: control.CodeInvalid, Message: "cannot start a daemon: 2 problems", Problems: []string{"/r.toml:1: a", "/r.toml:2: b"}}},
		"a crash": {"panic: x\n\ngoroutine 1\n", control.Error{Code: control.CodeFailed, Message: "the daemon ended at once", Hint: "look", Output: []string{"panic: x", "", "goroutine 1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "words")
			if err := os.WriteFile(path, []byte("roost: what an earlier daemon said\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			w, err := openWords(path)
			if err != nil {
				t.Fatal(err)
			}
			defer w.file.Close()
			if _, err := w.file.WriteString(c.words); err != nil {
				t.Fatal(err)
			}
			var got *control.Error
			if !errors.As(w.failure("look"), &got) {
				t.Fatalf("%v", w.failure("look"))
			}
			if diff := cmp.Diff(c.want, *got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
