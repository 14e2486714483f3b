package pm2

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"roost/apps/ecosystem"
	"roost/service/control"
)

// find resolves a word to rows as PM2 does, the first that fits: all; a regular
// expression between slashes; a name or the path of a script; a namespace; an
// id. Of a number it tries name and namespace first, too.
func find(rows []row, word string) ([]row, error) {
	match := func(fits func(*row) bool) (out []row) {
		for i := range rows {
			if fits(&rows[i]) {
				out = append(out, rows[i])
			}
		}
		return out
	}
	if word == "all" {
		return rows, nil
	}
	if len(word) > 2 && word[0] == '/' && word[len(word)-1] == '/' {
		if re, err := regexp.Compile(word[1 : len(word)-1]); err == nil {
			if out := match(func(r *row) bool { return re.MatchString(r.App) }); len(out) > 0 {
				return out, nil
			}
		} else if len(match(func(r *row) bool { return r.script() == word })) == 0 {
			return nil, &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("%s is not a regular expression: %v", word, err)}
		}
	}
	path, err := filepath.Abs(word)
	if err != nil {
		path = word
	}
	id, err := strconv.Atoi(word)
	for _, fits := range []func(*row) bool{
		func(r *row) bool { return r.App == word },
		func(r *row) bool { return err != nil && r.app.Config.Script != "" && r.script() == path },
		func(r *row) bool { return r.Namespace == word },
		func(r *row) bool { return err == nil && r.ID == id },
	} {
		if out := match(fits); len(out) > 0 {
			return out, nil
		}
	}
	return nil, nil
}

// named are the rows of an app, or that of an id: what describe, env and the like take.
func named(rows []row, word string) []row {
	id, err := strconv.Atoi(word)
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.App != word && (err != nil || r.ID != id) })
}

// idsOf are the ids of rows, as targets for the daemon.
func idsOf(rows []row) []string {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = strconv.Itoa(rows[i].ID)
	}
	return ids
}

// targetsOf are rows as targets for the daemon: an app of which all is meant
// by its name, which some changes ask for.
func targetsOf(rows []row) []string {
	var out []string
	for i := range rows {
		r := &rows[i]
		mine := slices.DeleteFunc(slices.Clone(rows), func(o row) bool { return o.App != r.App })
		word := strconv.Itoa(r.ID)
		if len(mine) == len(rowsOf([]control.App{*r.app})) {
			word = r.App
		}
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// idList prints ids as PM2 does: [ 0, 1 ].
func idList(rows []row) string {
	ids := make([]any, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return inspect(ids)
}

// isFile reports a word that names a configuration file; "-" is standard input.
func isFile(word string) bool { return word == "-" || ecosystem.Is(word) }

// isFile reports a word that means a configuration file: one that names such a
// file, unless there is only an app of this name.
func (s *session) isFile(word string) bool {
	if _, err := os.Stat(word); !isFile(word) || word == "-" || err == nil {
		return isFile(word)
	}
	rows, err := s.all()
	return err != nil || !slices.ContainsFunc(rows, func(r row) bool { return r.App == word })
}
