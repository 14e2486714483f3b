package static

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// gone tells whether err means that there is no such file any more: nothing,
// or something that is not served, such as a link out of the folder.
func gone(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) { // errNotRegular, or what os.Root says of escapes
		return true
	}
	switch errno {
	case syscall.ENOTDIR, syscall.EISDIR, syscall.ELOOP, syscall.ENXIO, syscall.ENAMETOOLONG:
		return true
	}
	return errors.Is(err, fs.ErrNotExist)
}

// passing tells whether err says nothing about the file, but that the system
// cannot do what was asked of it now: too many open files, no memory, a disk that fails.
func passing(err error) bool {
	return err != nil && !gone(err) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, os.ErrClosed)
}

// exhausted tells whether err means that the program or the system has no more
// open files or memory to give.
func exhausted(err error) bool {
	return slices.ContainsFunc([]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS}, func(e error) bool {
		return errors.Is(err, e)
	})
}
