package static

import (
	"os"
	"path/filepath"
	"slices"
)

// Notes are what there is to tell people of a folder that can be served all
// the same: what is wrong with its rules, as "file:line: what: hint", and that
// nothing may answer "/".
func Notes(c Config) []string {
	notes := ruleNotes(c)
	if what, hint := noIndex(c); what != "" {
		notes = append(notes, what+": "+hint)
	}
	return notes
}

// built are the folders into which tools commonly write what is to be served.
var built = []string{"dist", "build", "public", "out", "_site", "www", "html", "site", "docs"}

// noIndex says what to do about a site whose "/" has nothing to show, "" if it has, or if there are only files to be had.
func noIndex(c Config) (what, hint string) {
	if c.Prefix != "" && c.Prefix != "/" || c.HTMLHandling == exactPaths || c.Browse && !c.SPA ||
		isFile(c, "index.html") || isFile(c, "_redirects") {
		return "", ""
	}
	what = "the folder " + c.Root + " has no index.html, so nothing in it answers /"
	if c.SPA {
		what = "the folder " + c.Root + " has no index.html, which spa needs"
	}
	if i := slices.IndexFunc(built, func(name string) bool { return isFile(c, name, "index.html") }); i >= 0 {
		return what, "there is one in " + filepath.Join(c.Root, built[i]) + ": is that the root?"
	}
	for _, name := range []string{"index.htm", "Index.html", "INDEX.HTML"} {
		if isFile(c, name) {
			return what, "rename " + name + " to index.html"
		}
	}
	if c.SPA {
		return what, "build the app, or name the folder that it is built into"
	}
	return what, "add one, or have the files listed by browse = true"
}

// isFile tells whether a file of the folder is there to be served.
func isFile(c Config, name ...string) bool {
	stat := os.Stat
	if c.Symlinks == linksNone {
		stat = os.Lstat
	}
	fi, err := stat(filepath.Join(c.Root, filepath.Join(name...)))
	return err == nil && fi.Mode().IsRegular()
}
