//go:build unix

package apps

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// prepareNotify gives the program a socket of its own for sd_notify(3).
func (p *program) prepareNotify(s *setup, dir socketDir) error {
	path := dir.file(noteExt)
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("cannot make the notify socket: %w", err)
	}
	p.later(func() { c.Close(); os.Remove(path) })
	err = passCredentials(c)
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err == nil && s.user != nil {
		err = os.Chown(path, s.user.uid, s.user.gid)
	}
	if err != nil {
		return fmt.Errorf("cannot make the notify socket: %w", err)
	}
	s.ours["NOTIFY_SOCKET"] = path
	p.prepareWatchdog(s)
	uid := os.Geteuid()
	if s.user != nil {
		uid = s.user.uid
	}
	s.helpers = append(s.helpers, func(ctx context.Context) { p.listenNotify(ctx, c, uid) })
	return nil
}

// listenNotify reads what the program says until ctx ends.
func (p *program) listenNotify(ctx context.Context, c *net.UnixConn, uid int) {
	defer context.AfterFunc(ctx, func() { c.Close() })()
	buf, oob := make([]byte, 4096), make([]byte, 1024)
	for {
		n, oobn, _, _, err := c.ReadMsgUnix(buf, oob)
		if err != nil {
			return
		}
		// with BARRIER=1 comes a file descriptor, and closing it is the answer
		sender := readControl(oob[:oobn])
		if !p.ours(sender, uid) {
			continue
		}
		for line := range bytes.SplitSeq(buf[:n], []byte("\n")) {
			p.notified(line)
		}
	}
}

// sender is who has sent a datagram, as the kernel says.
type sender struct {
	known    bool
	pid, uid int
}

// ours reports whether the sender is of the instance's tree. One that has
// gone already (systemd-notify) is believed when the user is right: others
// cannot open the socket.
func (p *program) ours(s sender, uid int) bool {
	if !s.known {
		return true // a system that does not tell; the socket is the user's alone
	}
	leader := p.PID()
	pid := s.pid
	for range 64 {
		if pid == leader {
			return true
		}
		if group, err := unix.Getpgid(pid); err == nil && group == leader {
			return true
		}
		up, err := parentOf(pid)
		if err != nil {
			return pid == s.pid && s.uid == uid
		}
		if up <= 1 {
			return false
		}
		pid = up
	}
	return false
}

func closeRights(m *unix.SocketControlMessage) {
	fds, err := unix.ParseUnixRights(m)
	if err != nil {
		return
	}
	for _, fd := range fds {
		unix.Close(fd)
	}
}
