//go:build unix

package cli

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// owner is the user whose files are in folder, when root looks at another
// user's; nil otherwise.
func owner(folder string) *user.User {
	info, err := os.Stat(folder)
	if err != nil || os.Geteuid() != 0 {
		return nil
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return nil
	}
	u, err := user.LookupId(strconv.Itoa(int(stat.Uid)))
	if err != nil {
		return nil
	}
	return u
}

// as has cmd run as u.
func as(cmd *exec.Cmd, u *user.User) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, wrong := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil || wrong != nil {
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	cmd.Dir = "/" // ours may be closed to that user
	cmd.Env = append(os.Environ(), "HOME="+u.HomeDir, "USER="+u.Username, "LOGNAME="+u.Username)
}
