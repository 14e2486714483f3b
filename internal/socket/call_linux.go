package socket

import (
	"syscall"
	"unsafe"
)

// Read is read(2) of a descriptor that does not block. Go's own tells the
// scheduler before and after that it may be long, which costs as much as a
// small read itself.
func Read(fd uintptr, p []byte) (int, error) {
	return call(syscall.SYS_READ, fd, unsafe.Pointer(unsafe.SliceData(p)), len(p))
}

// Write is write(2), likewise.
func Write(fd uintptr, p []byte) (int, error) {
	return call(syscall.SYS_WRITE, fd, unsafe.Pointer(unsafe.SliceData(p)), len(p))
}

// write is write(2) or writev(2), likewise.
func (w *Writer) write(fd uintptr) (int, error) {
	if len(w.p) == 0 || len(w.q) == 0 {
		return Write(fd, w.p)
	}
	w.both[0].Base, w.both[1].Base = &w.p[0], &w.q[0]
	w.both[0].SetLen(len(w.p))
	w.both[1].SetLen(len(w.q))
	n, err := call(syscall.SYS_WRITEV, fd, unsafe.Pointer(&w.both[0]), len(w.both))
	w.both = parts{}
	return n, err
}

type parts = [2]syscall.Iovec

func call(what, fd uintptr, of unsafe.Pointer, length int) (int, error) {
	if length == 0 {
		return 0, nil
	}
	for {
		n, _, err := syscall.RawSyscall(what, fd, uintptr(of), uintptr(length))
		switch err {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, err
		}
	}
}
