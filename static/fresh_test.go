package static

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// What replaces a file, a folder or a link by another kind of thing is followed like any other change.
func TestOneKindOfThingBecomesAnother(t *testing.T) {
	t.Parallel()
	eachMode(t, files{
		"a": "file", "b/f": "folder", "c": "->b", "d": "->a", "e": "file", "g/f": "g", "other/f": "other", "Case": "c",
		".next/f": "next", "old/f": "old", "empty/": "",
	}, func(t *testing.T, s *site) {
		for _, step := range []struct {
			what  string
			deeds []func() error
			shows map[string]string // "" is a 404
		}{
			{"as it was", nil, map[string]string{"/a": "file", "/b/f": "folder", "/c/f": "folder", "/d": "file", "/.next/f": "", "/old/f": "old"}},
			{"a file becomes a folder", s.deeds("rm a", "mkdir a", "write a/f now a folder"), map[string]string{"/a/f": "now a folder", "/a": "308", "/d/f": "now a folder"}},
			{"and a file again", s.deeds("rm a", "write a file again"), map[string]string{"/a": "file again", "/a/f": "", "/d": "file again"}},
			{"a folder becomes a file", s.deeds("rm b", "write b now a file"), map[string]string{"/b": "now a file", "/b/f": "", "/c": "now a file"}},
			{"a link goes", s.deeds("rm c", "rm d"), map[string]string{"/c": "", "/d": ""}},
			{"a file becomes a link", s.deeds("rm e", "link a e"), map[string]string{"/e": "file again"}},
			{"and a file again", s.deeds("rm e", "write e e"), map[string]string{"/e": "e"}},
			{"a folder becomes a link", s.deeds("mv g .g", "link other g"), map[string]string{"/g/f": "other"}},
			{"and another folder", s.deeds("rm g", "mv .g g"), map[string]string{"/g/f": "g"}},
			{"all links have gone", nil, map[string]string{"/g/f": "g", "/b": "now a file"}},
			{"a folder shows itself and hides another", s.deeds("mv old .old", "mv .next old"), map[string]string{"/old/f": "next", "/.old/f": ""}},
			{"which is followed", s.deeds("write old/f next 2", "write .old/f hidden"), map[string]string{"/old/f": "next 2", "/.old/f": ""}},
			{"names change in case only", s.deeds("mv Case case", "mv old OLD"), map[string]string{"/case": "c", "/OLD/f": "next 2"}},
			{"a folder moves into another", s.deeds("mv OLD empty/in"), map[string]string{"/empty/in/f": "next 2", "/OLD/f": ""}},
			{"which is followed", s.deeds("write empty/in/f next 3"), map[string]string{"/empty/in/f": "next 3"}},
			{"and both move, in turn", s.deeds("mv empty full", "mv full/in in", "mv full in/full", "write in/full/f f"), map[string]string{"/in/f": "next 3", "/in/full/f": "f", "/full/f": "", "/empty/in/f": ""}},
			{"which is followed", s.deeds("write in/full/f f2", "write in/f next 4"), map[string]string{"/in/full/f": "f2", "/in/f": "next 4"}},
			{"a folder is made anew in a moment", s.deeds("rm in", "mkdir in/sub", "write in/sub/f new"), map[string]string{"/in/sub/f": "new", "/in/f": ""}},
			{"which is followed", s.deeds("write in/sub/f newer", "write in/sub/g g"), map[string]string{"/in/sub/f": "newer", "/in/sub/g": "g"}},
			{"folders in folders", s.deeds("mkdir m/sub", "write m/sub/f one"), map[string]string{"/m/sub/f": "one"}},
			{"move, and others take their names", s.deeds("mv m k", "mkdir m/sub", "write m/sub/f two"), map[string]string{"/m/sub/f": "two", "/k/sub/f": "one"}},
			{"and are followed under the new name", s.deeds("write k/sub/f three"), map[string]string{"/k/sub/f": "three", "/m/sub/f": "two"}},
			{"two files change places", s.deeds("mv b x", "mv in/sub/f b", "mv x in/sub/f"), map[string]string{"/b": "newer", "/in/sub/f": "now a file"}},
			{"a file is emptied", s.deeds("write b "), map[string]string{"/b": "empty"}},
			{"and written again", s.deeds("write b full"), map[string]string{"/b": "full"}},
		} {
			for _, deed := range step.deeds {
				if err := deed(); err != nil {
					t.Fatalf("%s: %v", step.what, err)
				}
			}
			for path, want := range step.shows {
				var a answer
				within(t, time.Second, step.what+": "+path+" shows "+want, func() bool {
					switch a = s.get(path); want {
					case "":
						return a.StatusCode == 404
					case "308":
						return a.StatusCode == 308
					case "empty":
						return brief(a) == "200 "
					}
					return a.StatusCode == 200 && a.body == want
				})
			}
		}
	})
}

// deeds are changes of the folder in the manner of a shell; names have no spaces.
func (s *site) deeds(lines ...string) (all []func() error) {
	for _, line := range lines {
		verb, rest, _ := strings.Cut(line, " ")
		from, to, _ := strings.Cut(rest, " ")
		all = append(all, func() error {
			switch verb {
			case "rm":
				return os.RemoveAll(s.path(from))
			case "mkdir":
				return os.MkdirAll(s.path(from), 0o755)
			case "mv":
				return os.Rename(s.path(from), s.path(to))
			case "link":
				return os.Symlink(from, s.path(to))
			case "write":
				return os.WriteFile(s.path(from), []byte(to), 0o644)
			}
			return errors.New("unknown deed " + verb)
		})
	}
	return all
}
