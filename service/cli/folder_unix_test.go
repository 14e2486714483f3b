//go:build unix

package cli

import (
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roost/internal/httplint"
	"roost/static"
)

func TestAServedFolderFollowsLinksOutWhereThatIsSaid(t *testing.T) {
	top := t.TempDir()
	for _, dir := range []string{"out", "public"} {
		if err := os.Mkdir(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(top, "out", "f"), []byte("out"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..", "out", "f"), filepath.Join(top, "public", "f")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PM2_SERVE_PATH", filepath.Join(top, "public"))
	for set, want := range map[string]int{"": 404, "inside": 404, "none": 404, "follow": 200} {
		t.Setenv("PM2_SERVE_SYMLINKS", set)
		config, err := servedFolder()
		if err != nil {
			t.Fatal(err)
		}
		folder, err := static.Open(config, static.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if w := httplint.Record(t, folder, httptest.NewRequest("GET", "/f", nil)); w.Code != want {
			t.Errorf("%q: %d", set, w.Code)
		}
		folder.Close()
	}
	t.Setenv("PM2_SERVE_SYMLINKS", "yes")
	if err := ServeFolder(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), `PM2_SERVE_SYMLINKS: there is no way "yes"`) {
		t.Errorf("a wrong value: %v", err)
	}
}
