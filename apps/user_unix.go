//go:build unix

package apps

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user that an app runs as.
type account struct {
	name, home string
	uid, gid   int
	groups     []uint32
}

// lookupAccount finds a user by name or number. It is nil when the program
// runs as that user already, or name is empty.
func lookupAccount(name string) (*account, error) {
	if name == "" {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if _, number := strconv.Atoi(name); err != nil && number == nil {
		u, err = user.LookupId(name)
		if _, unknown := errors.AsType[user.UnknownUserIdError](err); unknown {
			u, err = &user.User{Uid: name, Gid: name}, nil
		}
	}
	if err != nil {
		return nil, &Complaint{"user", fmt.Sprintf("user %s does not exist", name), "create it: useradd --system " + name}
	}
	a := &account{name: u.Username, home: u.HomeDir}
	if a.uid, err = strconv.Atoi(u.Uid); err != nil {
		return nil, err
	}
	if a.gid, err = strconv.Atoi(u.Gid); err != nil {
		return nil, err
	}
	if a.uid == os.Geteuid() {
		return nil, nil
	}
	if os.Geteuid() != 0 {
		return nil, &Complaint{"user", fmt.Sprintf("cannot run as %s", name), "only root can switch users: run as root, or remove user"}
	}
	if u.Username == "" {
		return a, nil
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("cannot find the groups of %s: %w", name, err)
	}
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			a.groups = append(a.groups, uint32(n))
		}
	}
	return a, nil
}

// environ is what the user's programs expect to find.
func (a *account) environ() map[string]string {
	if a == nil || a.name == "" {
		return nil
	}
	return map[string]string{"HOME": a.home, "USER": a.name, "LOGNAME": a.name}
}

func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid), Groups: a.groups}
}

// own gives an open file to the user, who could not open it again by name
// (/dev/stdout) otherwise.
func (a *account) own(f *os.File) error {
	if a == nil {
		return nil
	}
	return f.Chown(a.uid, a.gid)
}
