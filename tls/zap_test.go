package tls

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestCertmagicsWordsReachTheLog(t *testing.T) {
	for _, tt := range []struct {
		loud bool
		want string
	}{
		{true, "level=DEBUG msg=step cache=1 n=2|level=WARN msg=trouble cache=1 error=why names=\"[a b]\"|"},
		{false, "level=DEBUG msg=step cache=1 n=2|level=DEBUG msg=trouble cache=1 error=why names=\"[a b]\"|"},
	} {
		l := &testLog{t: t}
		z := zapTo(slogTo(l), tt.loud).Named("part").With(zap.String("cache", "1"))
		z.Debug("chatter")
		z.Info("step", zap.Int("n", 2))
		z.Error("trouble", zap.Error(errors.New("why")), zap.Strings("names", []string{"a", "b"}))
		if err := z.Sync(); err != nil {
			t.Error(err)
		}
		var got string
		for line := range strings.Lines(l.String()) {
			_, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			got += rest + "|"
		}
		if got != tt.want {
			t.Errorf("loud %v:\n%s\nwant\n%s", tt.loud, got, tt.want)
		}
	}
}
