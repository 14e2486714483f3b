package ecosystem

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Declared is what a document declares.
type Declared struct {
	Apps   []Item
	Static []Item // folders to serve
}

// Item is one app or folder.
type Item struct {
	Table map[string]any
	// Path is where it stands in the document.
	Path string
}

// topKeys are the keys of a file beside those of an app.
var topKeys = []string{"apps", "pm2", "static", "deploy"}

// Declared finds the apps in any of the forms that PM2 knows: a list, a table
// with "apps", "pm2" or "static", or one app alone. "deploy" is another
// command's. Errors are *Error.
func (d Document) Declared(name string) (out Declared, err error) {
	table, isTable := d.Value.(map[string]any)
	list, isList := d.Value.([]any)
	switch {
	case isList:
		out.Apps, err = d.items("", list)
		return out, err
	case !isTable:
		return out, d.wrong("", "the file is neither a table nor a list", `write { "apps": [ { "name": "web", "script": "server.js" } ] }`)
	}
	packaged := filepath.Base(name) == "package.json"
	found := false
	for _, key := range []string{"apps", "pm2", "static"} {
		value, ok := table[key]
		if !ok || packaged && key == "static" {
			continue
		}
		found = true
		inner, isMap := value.(map[string]any)
		if key == "pm2" && isMap && (inner["apps"] != nil || inner["static"] != nil) { // { pm2: { apps: [ … ] } }
			if out, err = d.at(inner, key, out); err != nil {
				return out, err
			}
			continue
		}
		items, err := d.items(key, value)
		if err != nil {
			return out, err
		}
		if key == "static" {
			out.Static = append(out.Static, items...)
		} else {
			out.Apps = append(out.Apps, items...)
		}
	}
	switch {
	case packaged && !found:
		return out, &Error{Line: 1, What: `the file has no "pm2" or "apps"`, Hint: `declare the app in it, or start its script: start "npm start"`}
	case packaged:
		return out, nil
	case found:
		return out, d.noOthers("", table)
	case table["deploy"] != nil && len(table) == 1:
		return out, nil
	}
	for _, key := range []string{"script", "exec", "cmd", "command"} {
		if table[key] != nil {
			out.Apps = []Item{{Table: table}}
			return out, nil
		}
	}
	return out, d.wrong("", "the file declares no apps", `write { "apps": [ { "name": "web", "script": "server.js" } ] }`)
}

// at adds what the lists of an inner table declare.
func (d Document) at(table map[string]any, path string, out Declared) (Declared, error) {
	for key, to := range map[string]*[]Item{"apps": &out.Apps, "static": &out.Static} {
		if table[key] == nil {
			continue
		}
		items, err := d.items(join(path, key), table[key])
		if err != nil {
			return out, err
		}
		*to = append(*to, items...)
	}
	return out, d.noOthers(path, table)
}

// noOthers refuses keys that mean nothing at the top of a file.
func (d Document) noOthers(path string, table map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if !slices.Contains(topKeys, key) && !strings.HasPrefix(key, "$") {
			return d.wrong(join(path, key), fmt.Sprintf("unknown key %q beside the apps", key), "known are "+strings.Join(topKeys, ", "))
		}
	}
	return nil
}

// items are the tables of a list; a table alone is a list of one.
func (d Document) items(path string, value any) ([]Item, error) {
	if table, ok := value.(map[string]any); ok {
		return []Item{{table, path}}, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, d.wrong(path, fmt.Sprintf("%s wants a list, not %s", path, nameOf(value)), "")
	}
	var items []Item
	for i, e := range list {
		at := joinIndex(path, i)
		table, ok := e.(map[string]any)
		switch {
		case !ok:
			return nil, d.wrong(at, fmt.Sprintf("app %d of the list is not a table, but %s", i+1, nameOf(e)), "")
		case table["pm_exec_path"] != nil || table["pm2_env"] != nil:
			return nil, d.wrong(at, "this is a list that PM2 has written (dump.pm2, jlist), not a declaration", "take it over with: roost import pm2 FILE")
		}
		items = append(items, Item{table, at})
	}
	return items, nil
}

func (d Document) wrong(path, what, hint string) error {
	return &Error{Line: d.Line(path), What: what, Hint: hint}
}

// Line is where path stands, or the nearest thing around it; 0 when unknown.
func (d Document) Line(path string) int {
	for {
		if n, ok := d.Lines[path]; ok {
			return n
		}
		cut := strings.LastIndexByte(path, '.')
		if cut < 0 {
			return d.Lines[""]
		}
		path = path[:cut]
	}
}
