package apps

import (
	"time"

	"roost/internal/rotated"
)

// packLater has what the file was rotated to compressed in a while; f.mu is
// held. What fails has another chance after the next rotation.
func (f *logFile) packLater() {
	if f.packer == nil {
		f.packer = time.AfterFunc(f.calm, func() { _ = rotated.Pack(f.path) })
	} else {
		f.packer.Reset(f.calm)
	}
}
