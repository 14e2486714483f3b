package install

import (
	"fmt"
	"os"
	"path/filepath"

	"roost/internal/durable"
)

// Target is where the program has to be for the service: where it is if that
// is a folder of the system's programs, else in targetDir. A service must not
// depend on somebody's build folder.
func Target(program string) string {
	for _, dir := range systemDirs {
		if filepath.Dir(program) == filepath.Clean(dir) {
			return program
		}
	}
	return filepath.Join(targetDir, targetName)
}

// place copies program to target, in one step, and says whether that was
// needed. A program that runs goes on with the old file.
func place(program, target string) (copied bool, err error) {
	if program == target {
		return false, nil
	}
	text, err := os.ReadFile(program)
	if err != nil {
		return false, fmt.Errorf("cannot read the program: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return false, fmt.Errorf("cannot make the program's folder: %w", err)
	}
	if err := durable.WriteFile(target, text, 0o755); err != nil {
		return false, fmt.Errorf("cannot copy the program: %w", err)
	}
	return true, nil
}
