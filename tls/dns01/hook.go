package dns01

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// hook is the provider exec: a program that is started with three more
// arguments, what to do ("present" or "cleanup"), the name of the record and its
// value, and with the same and the zone in its environment. It has done so when
// it ends with 0.
type hook struct{ words []string }

func (h hook) change(ctx context.Context, verb string, r record) error {
	args := append(append([]string(nil), h.words[1:]...), verb, r.name, r.value)
	cmd := exec.CommandContext(ctx, h.words[0], args...)
	cmd.Env = append(os.Environ(),
		"ROOST_DNS_ACTION="+verb, "ROOST_DNS_NAME="+r.name, "ROOST_DNS_VALUE="+r.value, "ROOST_DNS_ZONE="+r.zone)
	alone(cmd)
	said := &tail{most: 1 << 10}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.WaitDelay = time.Second // what it has left behind may hold its output open
	err := cmd.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	words := strings.Join(strings.Fields(string(said.text)), " ")
	if words == "" {
		return fmt.Errorf("%s: %w", h.words[0], err)
	}
	return fmt.Errorf("%s: %w: %s", h.words[0], err, words)
}

// tail keeps the last bytes that are written to it.
type tail struct {
	most int
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	if over := len(t.text) - t.most; over > 0 {
		t.text = append([]byte(nil), t.text[over:]...)
	}
	return len(b), nil
}
