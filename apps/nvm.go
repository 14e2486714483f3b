package apps

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// nvmNode finds the Node of a version, such as "20", "20.9" or "v20.9.0", or of
// an alias ("lts/*"), among those that nvm has installed: in NVM_DIR, else in
// .nvm in HOME, of the environment env. Of several it is the newest.
func nvmNode(version string, env map[string]string) (string, error) {
	dir := env["NVM_DIR"]
	if dir == "" && env["HOME"] == "" {
		return "", &Complaint{"interpreter", "cannot tell where nvm is: the environment has neither NVM_DIR nor HOME", "set NVM_DIR in env"}
	}
	if dir == "" {
		dir = filepath.Join(env["HOME"], ".nvm")
	}
	wanted := version
	for range 5 { // an alias may lead to an alias
		if !filepath.IsLocal(wanted) {
			break
		}
		text, err := os.ReadFile(filepath.Join(dir, "alias", wanted))
		if err != nil {
			break
		}
		wanted = strings.TrimSpace(string(text))
	}
	wanted = strings.TrimPrefix(wanted, "v")
	var best []int
	var path string
	names, _ := filepath.Glob(filepath.Join(dir, "versions", "node", "v*"))
	for _, name := range names {
		has := strings.TrimPrefix(filepath.Base(name), "v")
		numbers := versionNumbers(has)
		node := filepath.Join(name, "bin", "node")
		if has != wanted && !strings.HasPrefix(has, wanted+".") || slices.Compare(numbers, best) < 0 || !executable(node) {
			continue
		}
		best, path = numbers, node
	}
	if path == "" {
		return "", &Complaint{"interpreter", fmt.Sprintf("nvm has no Node %s in %s", version, dir),
			fmt.Sprintf("install it: nvm install %s; or set NVM_DIR in env", version)}
	}
	return path, nil
}

func versionNumbers(version string) (numbers []int) {
	for part := range strings.SplitSeq(version, ".") {
		n, _ := strconv.Atoi(part)
		numbers = append(numbers, n)
	}
	return numbers
}
