package apps

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// ask asks the instance once whether it works, within ctx; the error says what
// was asked and what came of it.
func (p *program) ask(ctx context.Context, c *Check, s *setup) error {
	if len(c.Exec) > 0 {
		return p.askCommand(ctx, c.Exec, s)
	}
	network, address, what := "tcp", c.TCP, c.TCP
	if c.addresses() {
		e := p.Endpoint()
		if e == nil {
			return errors.New("it listens nowhere")
		}
		network, address, what = e.network, e.address, e.String()
	}
	if c.HTTP == "" {
		return explain(ctx, what, connect(ctx, network, address))
	}
	status, err := request(ctx, network, address, "GET", c.HTTP)
	if err == nil && (status < 200 || status >= 400) {
		return fmt.Errorf("GET %s answered %d", c.HTTP, status)
	}
	return explain(ctx, "GET "+c.HTTP, err)
}

// explain says shortly why what was asked has failed.
func explain(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	default:
		if op, ok := errors.AsType[*net.OpError](err); ok {
			err = op.Err
		}
		if call, ok := errors.AsType[*os.SyscallError](err); ok {
			err = call.Err
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// askCommand runs a command that exits with status 0 when the instance works:
// as its user, in its folder, with its environment but for what is the
// instance's alone. Nothing of it is left when askCommand returns.
func (p *program) askCommand(ctx context.Context, words Words, s *setup) error {
	what := words[0]
	path, err := lookPath(words[0], p.wanted.Cwd, s.env["PATH"])
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	// a program of its own, whose tree is found and ended as that of an instance is
	job := &program{
		launch: launch{wanted: &Wanted{}}, log: p.log, mark: newMark(p.runDir, true),
		killed: make(chan struct{}), problem: func(string) {},
	}
	said := &lastLine{}
	err = job.fork(&exec.Cmd{
		Path: path, Args: words, Dir: p.wanted.Cwd, Env: environList(commandEnv(s.env, job.mark)),
		Stdout: said, Stderr: said, WaitDelay: outputTime,
	}, s.user)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, job.Kill)
	job.awaitExit()
	job.clear()
	out := job.reap()
	job.group.remove()
	switch stop(); {
	case out.exited && out.code == 0:
		return nil
	case ctx.Err() != nil:
		return explain(ctx, what, ctx.Err())
	}
	if last := said.String(); last != "" {
		return fmt.Errorf("%s %v: %s", what, out, last)
	}
	return fmt.Errorf("%s %v", what, out)
}

// commandEnv is an instance's environment for a program beside it: without the
// sockets and the heartbeat that are for the instance alone.
func commandEnv(env map[string]string, mark string) map[string]string {
	out := map[string]string{}
	for key, value := range env {
		if key != "NOTIFY_SOCKET" && !strings.HasPrefix(key, "LISTEN_") && !strings.HasPrefix(key, "WATCHDOG_") {
			out[key] = value
		}
	}
	out["ROOST_INSTANCE"] = mark
	return out
}

// lastLine keeps the last line of what is written to it, 200 bytes at most.
type lastLine struct {
	mu   sync.Mutex
	tail []byte
}

func (w *lastLine) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tail = append(w.tail, b[max(0, len(b)-lastLineSize):]...)
	w.tail = w.tail[max(0, len(w.tail)-lastLineSize):]
	return len(b), nil
}

const lastLineSize = 200

func (w *lastLine) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := strings.TrimSpace(strings.ToValidUTF8(string(w.tail), ""))
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}
