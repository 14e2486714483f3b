package static

import (
	"path/filepath"
	"slices"
)

// Notes are what there is to tell people of a folder that can be served all
// the same: what is wrong with its rules, as "file:line: what: hint", and that
// nothing may answer "/".
func Notes(c Config) []string {
	t, err := openTree(c.Root, c.Symlinks)
	if err != nil {
		return nil // Validate tells
	}
	defer t.Close()
	notes := ruleNotes(t, c)
	if what, hint := noIndex(t, c); what != "" {
		notes = append(notes, what+": "+hint)
	}
	return notes
}

// built are the folders into which tools commonly write what is to be served.
var built = []string{"dist", "build", "public", "out", "_site", "www", "html", "site", "docs"}

// noIndex says what to do about a site whose "/" has nothing to show, "" if it has, or if there are only files to be had.
func noIndex(t *tree, c Config) (what, hint string) {
	_, fi, err := t.resolve(".", "index.html", nil)
	rules, _, _ := t.find(".", redirectsFile, nil)
	if c.Prefix != "" && c.Prefix != "/" || c.HTMLHandling == exactPaths || c.Browse && !c.SPA || isRegular(fi) || rules != "" {
		return "", ""
	}
	what = "the folder " + c.Root + " has no index.html, so nothing in it answers /"
	if c.SPA {
		what = "the folder " + c.Root + " has no index.html, which spa needs"
	}
	switch err {
	case errLink, errOutside, errHidden:
		return what + " (" + err.Error() + ")", "put the file itself there, or see symlinks"
	}
	isFile := func(name string) bool {
		_, fi, _ := t.resolve(".", name, nil)
		return isRegular(fi)
	}
	if i := slices.IndexFunc(built, func(dir string) bool { return isFile(dir + "/index.html") }); i >= 0 {
		return what, "there is one in " + filepath.Join(c.Root, built[i]) + ": is that the root?"
	}
	for _, name := range []string{"index.htm", "Index.html", "INDEX.HTML"} {
		if isFile(name) {
			return what, "rename " + name + " to index.html"
		}
	}
	if c.SPA {
		return what, "build the app, or name the folder that it is built into"
	}
	return what, "add one, or have the files listed by browse = true"
}
