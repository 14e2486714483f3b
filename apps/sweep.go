package apps

import (
	"os"
	"path/filepath"
	"time"
)

// Sweep ends what a daemon that was killed has left running: the processes of
// its instances, which hold ports and would run beside the new ones, and their
// sockets in runDir. Call it before the first app runs, by the one daemon that
// may use runDir. It returns how many processes it has ended. Processes can be
// found on Linux only; elsewhere it removes the sockets.
func Sweep(runDir string) (killed int) {
	id, err := os.ReadFile(filepath.Join(runDir, idFile))
	if err != nil {
		return 0 // nobody has been here
	}
	for deadline := time.Now().Add(killTime); ; time.Sleep(5 * time.Millisecond) {
		left := killOrphans(string(id) + "-")
		killed = max(killed, left)
		if left == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, ext := range []string{laneExt, noteExt} {
		names, _ := filepath.Glob(filepath.Join(runDir, "i??????????."+ext))
		for _, name := range names {
			os.Remove(name)
		}
	}
	return killed
}

// idFile holds what the marks of all instances with sockets in its folder
// begin with. It is random: the folder's path may be the same in a container,
// whose processes are not ours.
const idFile = "id"

// aloneMark begins the second part of a mark whose instance ends alone: what it
// has started may outlive it, and the daemon.
const aloneMark = "alone-"

// newMark is a new value of ROOST_INSTANCE.
func newMark(runDir string, treekill bool) string {
	path, name := filepath.Join(runDir, idFile), randomName()
	if !treekill {
		name = aloneMark + name
	}
	id, err := os.ReadFile(path)
	if err == nil {
		return string(id) + "-" + name
	}
	// written aside and linked, so that no one reads half of it and all have the same
	if f, err := os.CreateTemp(runDir, ".id-*"); err == nil {
		_, err = f.WriteString(randomName())
		f.Close()
		if err == nil {
			os.Link(f.Name(), path)
		}
		os.Remove(f.Name())
	}
	id, _ = os.ReadFile(path)
	return string(id) + "-" + name
}
