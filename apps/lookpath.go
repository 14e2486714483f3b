package apps

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
)

// lookPath finds a program: a name in the folders of searchPath, anything with
// a separator as a path, relative to cwd. The result is absolute.
func lookPath(name, cwd, searchPath string) (string, error) {
	if name == "" {
		return "", fs.ErrNotExist
	}
	if strings.ContainsRune(name, '/') || strings.ContainsRune(name, filepath.Separator) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(cwd, name)
		}
		return findExecutable(name)
	}
	err := error(fs.ErrNotExist)
	for _, dir := range filepath.SplitList(searchPath) {
		if !filepath.IsAbs(dir) {
			continue // "." and "" would make it depend on where the program was started
		}
		path, e := findExecutable(filepath.Join(dir, name))
		if e == nil {
			return path, nil
		}
		if errors.Is(e, fs.ErrPermission) {
			err = e
		}
	}
	return "", err
}

// packages are the Debian packages of the interpreters.
var packages = map[string]string{
	"node": "nodejs", "nodejs": "nodejs", "python3": "python3", "python": "python3", "bash": "bash", "ruby": "ruby", "php": "php-cli", "perl": "perl",
	"npm": "npm", "npx": "npm", "java": "default-jre", "go": "golang",
}

func notFound(key, name, cwd string, err error) *Complaint {
	c := &Complaint{Key: key}
	switch base := filepath.Base(name); {
	case errors.Is(err, fs.ErrPermission):
		c.What, c.Hint = fmt.Sprintf("%s is not executable", name), "chmod +x "+name
	case filepath.IsAbs(name):
		c.What, c.Hint = fmt.Sprintf("%s does not exist", name), "check the path"
	case base != name:
		c.What, c.Hint = fmt.Sprintf("%s does not exist", name), "a path is relative to cwd, which is "+cwd
	case packages[base] != "" && runtime.GOOS == "linux":
		c.What, c.Hint = fmt.Sprintf("%s is not on PATH", name), "install it: apt-get install "+packages[base]
	default:
		c.What, c.Hint = fmt.Sprintf("%s is not on PATH", name), "install it, or write its path"
	}
	return c
}

func missingScript(script, cwd string, err error) *Complaint {
	c := &Complaint{Key: "script"}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.What, c.Hint = fmt.Sprintf("script %s does not exist", script), "it is looked for in cwd, which is "+cwd
		if filepath.IsAbs(script) {
			c.Hint = "check the path"
		}
	case errors.Is(err, fs.ErrPermission):
		c.What, c.Hint = fmt.Sprintf("script %s cannot be read", script), "chmod +r "+script
	default:
		c.What, c.Hint = fmt.Sprintf("script %s %v", script, err), "name a file"
	}
	return c
}
