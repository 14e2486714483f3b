package apps

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestARealFullDiskIsSurvived(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web-out.log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	var log said
	b := testBook(dir, "web", 0, 0, slog.New(slog.NewTextHandler(&log, nil)))
	b.pause = time.Millisecond
	w := b.writer(0, "out")
	fmt.Fprintln(w, "first")
	eventually(t, "the failure is said", func() bool { return log.count("no space left on device") == 1 })
	if why := b.problem.Load(); why == nil || !strings.Contains(*why, "web-out.log: write") {
		t.Errorf("the status says %v", why)
	}
	fmt.Fprintln(w, "second")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it works again", func() bool { return log.count("written again") == 1 })
	if why := b.problem.Load(); why != nil {
		t.Errorf("the status still says %q", *why)
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if got := linesOf(t, path); strings.Join(got, "|") != "0 first|0 second" {
		t.Errorf("%q", got)
	}
}
