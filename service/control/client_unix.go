//go:build unix

package control

// refused reports an error that means "nobody listens" and that errors.Is does not know.
func refused(error) bool { return false }
