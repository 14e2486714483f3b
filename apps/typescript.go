package apps

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// typeScriptFlags are what lets this Node run script, when that is TypeScript:
// nothing from 22.18 and 23.6 on, a flag from 22.6 on. Types are stripped only;
// of .tsx no Node makes anything.
func typeScriptFlags(node, script string) ([]string, error) {
	ext := extension(script)
	if ext == ".tsx" {
		return nil, &Complaint{"interpreter", "Node cannot run .tsx", `set interpreter = "bun" or "tsx", or compile to JavaScript`}
	}
	if !slices.Contains([]string{".ts", ".mts", ".cts"}, ext) {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return nil, &Complaint{"interpreter", fmt.Sprintf("cannot ask %s for its version: %v", node, err), "check that it runs"}
	}
	version := strings.TrimSpace(string(out))
	var major, minor int
	fmt.Sscanf(version, "v%d.%d", &major, &minor)
	switch {
	case major > 23, major == 23 && minor >= 6, major == 22 && minor >= 18:
		return nil, nil
	case major == 23, major == 22 && minor >= 6:
		return []string{"--experimental-strip-types"}, nil
	}
	return nil, &Complaint{"interpreter", fmt.Sprintf("node %s cannot run TypeScript", version),
		`install Bun, or Node 22.6 or newer, or set interpreter = "tsx", or compile to JavaScript`}
}
