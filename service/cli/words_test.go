package cli

import (
	"log/slog"
	"strings"
	"testing"
)

func TestLogForPeopleHasLevelMessageAndAttributes(t *testing.T) {
	var b strings.Builder
	log := slog.New(newWords(&console{err: &b}, slog.LevelWarn)).With("app", "web")
	log.Info("not for the terminal")
	log.Warn("exited", "slot", 1, "why", "exit status 1")
	log.WithGroup("tls").Error("cannot renew", slog.Group("cert", "name", "example.com"), "error", "line 1\nline 2")
	want := "roost: warning: exited (app web, slot 1, why exit status 1)\n" +
		"roost: error: cannot renew (app web, tls.cert.name example.com, tls.error \"line 1\\nline 2\")\n"
	if b.String() != want {
		t.Errorf("wrote:\n%swant:\n%s", b.String(), want)
	}
}
