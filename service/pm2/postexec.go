package pm2

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
)

// postExec runs the command of --post-exec and waits for it. What it writes is
// shown unless --silent-exec says otherwise; its failure is told and no more.
func (s *session) postExec(ctx context.Context) error {
	command := s.text("post-exec")
	if command == "" {
		return nil
	}
	shell, flag := "sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag = "cmd", "/C"
	}
	cmd := exec.CommandContext(ctx, shell, flag, command)
	if !s.has("silent-exec") {
		cmd.Stdout, cmd.Stderr = s.out, s.err
	}
	if err := cmd.Run(); err != nil && !errors.Is(err, context.Canceled) && ctx.Err() == nil {
		s.fail("--post-exec %s: %v", command, err)
	}
	return nil
}
