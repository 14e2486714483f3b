package host

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Lines tells at which line of which file each key of a Config stands. It only
// serves messages and says nothing about what is wanted.
type Lines map[string]*Index

// Equal is always true: two Configs that want the same are the same wherever
// it is written (go-cmp calls this).
func (Lines) Equal(Lines) bool { return true }

// Index is where the keys of one file stand. It does not change once Parse has
// returned.
type Index struct {
	// lines maps paths such as "site.0.route.1.path" to lines, from 1.
	lines map[string]int
	// aliases are paths whose keys were written otherwise, at another path.
	aliases map[string]string
	// spoiled are paths whose value could not be read: what seems to be
	// missing there is not, and has been complained of.
	spoiled map[string]bool
	// items are the paths of the sites and apps, in the order of the file, by
	// kind and name.
	items map[[2]string][]string
	// notes are for people: what of the file has no effect.
	notes []string
}

// Notes are what there is to tell people of the files, beside problems.
func (l Lines) Notes() []string {
	var notes []string
	for _, file := range slices.Sorted(maps.Keys(l)) {
		notes = append(notes, l[file].notes...)
	}
	return notes
}

// find is the path of the k-th item of a kind ("site", "app") and name.
func (x *Index) find(kind, name string, k int) string {
	if x == nil {
		return kind
	}
	paths := x.items[[2]string{kind, name}]
	if k < len(paths) {
		return paths[k]
	}
	return kind
}

// spoils says that a complaint about a key of path, or about all of path when
// key is empty, would only repeat what Parse has said: its value could not be
// read, or it is missing from a table some of whose keys could not be.
func (x *Index) spoils(path, key string) bool {
	if x == nil {
		return false
	}
	if key != "" {
		at := join(path, key)
		for p := range x.spoiled {
			if p == at || strings.HasPrefix(p, at+".") {
				return true
			}
		}
		if _, written := x.at(at); written {
			return false
		}
	}
	for p := range x.spoiled {
		if rest, inside := strings.CutPrefix(p, path+"."); inside && !strings.Contains(rest, ".") {
			return true
		}
	}
	return false
}

// lineAt is where path itself stands.
func (x *Index) lineAt(path string) (n int, ok bool) {
	if x == nil {
		return 0, false
	}
	n, ok = x.lines[path]
	return n, ok
}

// line is where path stands, or the nearest thing around it; 0 when unknown.
func (x *Index) line(path string) int {
	if x == nil {
		return 0
	}
	for {
		if n, ok := x.at(path); ok {
			return n
		}
		cut := strings.LastIndexByte(path, '.')
		if cut < 0 {
			return 0
		}
		path = path[:cut]
	}
}

// at is the line where exactly path was written.
func (x *Index) at(path string) (line int, ok bool) {
	if from, renamed := x.aliases[path]; renamed {
		path = from
	}
	line, ok = x.lines[path]
	return line, ok
}

func newIndex() *Index {
	return &Index{lines: map[string]int{}, aliases: map[string]string{}, spoiled: map[string]bool{}, items: map[[2]string][]string{}}
}

// readIndex finds the line of every key in a TOML text. A text with a syntax
// error is indexed up to the error.
func readIndex(text []byte) *Index {
	x := newIndex()
	var starts []int // offset of each line's first byte
	starts = append(starts, 0)
	for i, c := range text {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	in := indexing{index: x, starts: starts, count: map[string]int{}}
	in.parser.Reset(text)
	table := ""
	for in.parser.NextExpression() {
		e := in.parser.Expression()
		switch e.Kind {
		case unstable.Table:
			table = in.header(e, false)
		case unstable.ArrayTable:
			table = in.header(e, true)
		case unstable.KeyValue:
			in.keyValue(table, e)
		}
	}
	return x
}

type indexing struct {
	parser unstable.Parser
	index  *Index
	starts []int
	count  map[string]int // elements so far of each array of tables
}

func (in *indexing) lineOf(r unstable.Range) int {
	return sort.SearchInts(in.starts, int(r.Offset)+1)
}

// header records the place of [a.b] or [[a.b]] and returns its path, in which
// each array of tables is followed by the number of its last element.
func (in *indexing) header(e *unstable.Node, array bool) string {
	path, line := "", 0
	it := e.Key()
	for it.Next() {
		path = join(path, string(it.Node().Data))
		line = in.lineOf(it.Node().Raw)
		if array && it.IsLast() {
			in.count[path]++
		}
		if n := in.count[path]; n > 0 {
			path = join(path, strconv.Itoa(n-1))
		}
		in.note(path, line)
	}
	if path != "" {
		in.index.lines[path] = line // a later header of the same table is the nearer one
	}
	return path
}

func (in *indexing) keyValue(table string, e *unstable.Node) {
	path, line := table, 0
	it := e.Key()
	for it.Next() {
		path = join(path, string(it.Node().Data))
		line = in.lineOf(it.Node().Raw)
		in.note(path, line)
	}
	in.value(path, line, e.Value())
}

// value records what lies inside a list or an inline table.
func (in *indexing) value(path string, line int, v *unstable.Node) {
	it := v.Children()
	switch v.Kind {
	case unstable.InlineTable:
		for it.Next() {
			in.keyValue(path, it.Node())
		}
	case unstable.Array:
		for i := 0; it.Next(); i++ {
			element := it.Node()
			if element.Raw.Length > 0 {
				line = in.lineOf(element.Raw)
			}
			at := join(path, strconv.Itoa(i))
			in.note(at, line)
			in.value(at, line, element)
		}
	}
}

func (in *indexing) note(path string, line int) {
	if _, known := in.index.lines[path]; !known {
		in.index.lines[path] = line
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
