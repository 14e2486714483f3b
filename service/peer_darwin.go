package service

import "golang.org/x/sys/unix"

// peerOf asks the kernel (LOCAL_PEERCRED, unix(4)).
func peerOf(fd int) (uid int, err error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}
