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

// account is the user, and the group, that an app runs as.
type account struct {
	name, home string
	uid, gid   int
	groups     []uint32
}

// lookupAccount finds a user and a group, each by name or number; ours when
// empty, the user's when only the group is. It is nil when the program runs as
// them already. Errors are Complaints.
func lookupAccount(name, group string) (*account, error) {
	if name == "" && group == "" {
		return nil, nil
	}
	a := &account{uid: os.Geteuid(), gid: os.Getegid()}
	if name != "" {
		if err := a.user(name); err != nil {
			return nil, err
		}
	}
	foreign := a.uid != os.Geteuid()
	if group != "" {
		gid, err := lookupGroup(group)
		if err != nil {
			return nil, err
		}
		a.gid = gid
	}
	key, value := "user", name
	if !foreign {
		if group == "" || a.gid == os.Getegid() {
			return nil, nil
		}
		key, value = "gid", group
	}
	if os.Geteuid() != 0 {
		return nil, &Complaint{key, fmt.Sprintf("%s = %q needs root", key, value), "run as root, or remove it"}
	}
	return a, nil
}

func (a *account) user(name string) error {
	u, err := user.Lookup(name)
	if _, number := strconv.ParseUint(name, 10, 31); err != nil && number == nil {
		u, err = user.LookupId(name)
		if _, unknown := errors.AsType[user.UnknownUserIdError](err); unknown {
			u, err = &user.User{Uid: name, Gid: name}, nil // a number needs no name
		}
	}
	if err != nil {
		return &Complaint{"user", fmt.Sprintf("user %s does not exist", name), "create it: useradd --system " + name}
	}
	a.name, a.home = u.Username, u.HomeDir
	if a.uid, err = strconv.Atoi(u.Uid); err == nil {
		a.gid, err = strconv.Atoi(u.Gid)
	}
	if err != nil {
		return &Complaint{"user", fmt.Sprintf("user %s has no number: %v", name, err), "choose another"}
	}
	if a.name == "" || a.uid == os.Geteuid() {
		return nil
	}
	ids, err := u.GroupIds()
	if err != nil {
		return &Complaint{"user", fmt.Sprintf("cannot find the groups of %s: %v", name, err), "see that /etc/group can be read"}
	}
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			a.groups = append(a.groups, uint32(n))
		}
	}
	return nil
}

func lookupGroup(name string) (int, error) {
	if g, err := user.LookupGroup(name); err == nil {
		return strconv.Atoi(g.Gid)
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	return 0, &Complaint{"gid", fmt.Sprintf("group %s does not exist", name), "create it: groupadd --system " + name}
}

// environ is what the user's programs expect to find.
func (a *account) environ() map[string]string {
	if a == nil || a.name == "" {
		return nil
	}
	return map[string]string{"HOME": a.home, "USER": a.name, "LOGNAME": a.name}
}

// mayBindLow reports whether the account may listen on ports below 1024.
func (a *account) mayBindLow() bool { return a == nil || a.uid == 0 }

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
