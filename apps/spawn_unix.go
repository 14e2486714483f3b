//go:build unix

package apps

import (
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// prepareListen hands the program its private socket, and its own port when it
// has one, by systemd's protocol (sd_listen_fds(3)): file descriptors from 3
// on, their number in LISTEN_FDS, and in LISTEN_PID the process that they are for.
func (p *program) prepareListen(s *setup, dir socketDir) error {
	lane, err := p.privateSocket(dir)
	if err != nil {
		return err
	}
	s.files = append(s.files, lane.file)
	names := "roost"
	// systemd's sockets are blocking; so they are what programs expect
	if err := unix.SetNonblock(int(lane.file.Fd()), false); err != nil {
		return err
	}
	if p.wanted.Port > 0 {
		file, err := p.ownPort(ownPort{port: p.wanted.Port})
		if err != nil {
			return p.taken(p.wanted.Port, err)
		}
		s.files = append(s.files, file)
		names += ":port"
	}
	s.ours["LISTEN_FDS"] = strconv.Itoa(len(s.files))
	s.ours["LISTEN_FDNAMES"] = names
	s.pids = append(s.pids, "LISTEN_PID")
	p.reachable(newEndpoint("unix", lane.path))
	p.isLocated()
	return nil
}

// lane is an instance's private socket, listening.
type lane struct {
	path string
	file *os.File
}

// privateSocket makes the socket by which requests reach the instance. Only
// the instance keeps it open: once that has gone, connections are refused.
func (p *program) privateSocket(dir socketDir) (lane, error) {
	path := dir.file(laneExt)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return lane{}, fmt.Errorf("cannot make the private socket: %w", err)
	}
	p.later(func() { os.Remove(path) })
	l.SetUnlinkOnClose(false)
	defer l.Close()
	if err := os.Chmod(path, 0o600); err != nil {
		return lane{}, fmt.Errorf("cannot make the private socket: %w", err)
	}
	fd, err := dupFD(l)
	if err != nil {
		return lane{}, fmt.Errorf("cannot make the private socket: %w", err)
	}
	return lane{path, os.NewFile(uintptr(fd), path)}, nil
}

// ownPort takes part in one of the app's own ports.
func (p *program) ownPort(o ownPort) (*os.File, error) {
	fd, err := p.ports.take(o)
	if err != nil {
		return nil, err
	}
	p.later(func() { p.ports.give(o) })
	return os.NewFile(uintptr(fd), "port"), nil
}
