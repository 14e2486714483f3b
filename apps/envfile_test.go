package apps

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzEnvFile looks for texts that make the reader fail in another way than by
// a Complaint with a line of the file, or give variables that no program can have.
func FuzzEnvFile(f *testing.F) {
	for _, text := range []string{"A=1", "export A='x\ny' # z\nB=\"${A} $A\"", "A: 1", "A", "=", "A=\"", "\ufeffA=1\r\nB=\\n", "A=${", "A=$\x00", "#", "export ", "A='"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "x.env")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		vars, err := readEnvFile(path)
		if c, ok := errors.AsType[*Complaint](err); err != nil && (!ok || c.Hint == "" || !strings.HasPrefix(c.What, path+":")) {
			t.Errorf("error %v", err)
		}
		for key, value := range vars {
			if badVariable(key, value) != "" {
				t.Errorf("%q = %q", key, value)
			}
		}
	})
}
