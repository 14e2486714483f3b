package apps

import "testing"

// withoutCgroups runs a test as on a system without control groups.
func withoutCgroups(t *testing.T) {
	was := cgroupsFail.Swap(true)
	t.Cleanup(func() { cgroupsFail.Store(was) })
}
