package cli

import (
	"log/slog"
	"strings"
	"testing"
)

func TestLogForPeopleHasLevelMessageAndAttributes(t *testing.T) {
	var b strings.Builder
	log := slog.New(newWords(&console{err: &b}, slog.LevelWarn)).With("part", "apps", "app", "web")
	log.Info("not for the terminal")
	log.Warn("instance is replaced", "slot", 1, "reason", "exit status 1", "hint", "roost logs web")
	log.WithGroup("tls").Error("cannot renew", slog.Group("cert", "name", "example.com"), "answer", "line 1\nline 2")
	want := "roost: warning: web: instance is replaced: exit status 1 (slot 1)\nhint: roost logs web\n" +
		"roost: error: web: cannot renew (tls.cert.name example.com, tls.answer \"line 1\\nline 2\")\n"
	if b.String() != want {
		t.Errorf("wrote:\n%swant:\n%s", b.String(), want)
	}
}
