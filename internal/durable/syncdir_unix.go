//go:build unix

package durable

import "os"

// syncDir makes a rename in dir durable (rename(2) alone orders nothing on disk).
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return fsync(d)
}
