package static

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"

	"roost/internal/nearest"
)

// Complaint is one thing wrong with a Config.
type Complaint struct {
	Key  string // as in roost.toml
	What string // what is wrong
	Hint string // what to do; may be empty
}

// Validate returns all that is wrong with c, nil if nothing is. It looks at
// the folder but changes nothing.
func Validate(c Config) []Complaint {
	var all []Complaint
	add := func(key, what, hint string) { all = append(all, Complaint{key, what, hint}) }
	switch {
	case c.Root == "":
		add("root", "no folder is given", `write root = "public", a path from the config file's own folder`)
	case !filepath.IsAbs(c.Root):
		add("root", "the path "+c.Root+" is not absolute", "give the whole path")
	default:
		what, hint := unreadable(c.Root)
		if what != "" {
			add("root", what, hint)
		}
	}
	if !validPrefix(c.Prefix) {
		add("path", "the path "+strconv.Quote(c.Prefix)+" cannot lead to a folder", `write it as "/docs/": a slash at both ends, single ones between`)
	}
	if c.HTMLHandling != "" && !slices.Contains(htmlHandlings, c.HTMLHandling) {
		add("html_handling", "there is no html_handling "+strconv.Quote(c.HTMLHandling), "one of "+strings.Join(htmlHandlings, ", "))
	}
	if c.Symlinks != "" && !slices.Contains(linkModes, c.Symlinks) {
		hint := "one of " + strings.Join(linkModes, ", ")
		if near := nearest.Of(c.Symlinks, linkModes); near != "" {
			hint = "did you mean " + strconv.Quote(near) + "? It is " + hint
		}
		add("symlinks", "there is no way "+strconv.Quote(c.Symlinks)+" with symbolic links", hint)
	}
	if all := []string{rulesCloudflare, rulesNetlify, rulesOff}; c.Rules != "" && !slices.Contains(all, c.Rules) {
		add("rules", "there are no rules "+strconv.Quote(c.Rules), "one of "+strings.Join(all, ", "))
	}
	for i, pattern := range c.Download {
		if pattern == "" || !doublestar.ValidatePattern(pattern) {
			add("download."+strconv.Itoa(i), strconv.Quote(pattern)+" is not a pattern", `write patterns such as "*.pdf" or "files/**"`)
		} else if strings.HasSuffix(pattern, "/") {
			add("download."+strconv.Itoa(i), strconv.Quote(pattern)+" matches no file", "write "+strconv.Quote(pattern+"**"))
		}
	}
	if c.Memory < 0 {
		add("memory", "the memory for files is negative", `write a size such as "64MB"`)
	}
	return all
}

// validPrefix tells whether redirects can begin with p: none may seem to name another host.
func validPrefix(p string) bool {
	if p == "" {
		return true
	}
	return p[0] == '/' && p[len(p)-1] == '/' && !strings.Contains(p, "//") &&
		strings.IndexFunc(p, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\\' || c == utf8.RuneError }) < 0
}

// unreadable says why a folder cannot be served, "" if it can.
func unreadable(root string) (what, hint string) {
	fi, err := os.Stat(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the folder " + root + " does not exist", "create it, or correct the path"
	case err == nil && !fi.IsDir():
		return root + " is not a folder", "name the folder that holds the files"
	}
	if err == nil {
		var d *os.File
		if d, err = os.Open(root); err == nil {
			d.Close()
			return "", ""
		}
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return "the folder " + root + " cannot be read: " + err.Error(), "let the user that runs roost read it and pass through the folders above it"
}
