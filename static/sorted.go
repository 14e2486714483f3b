package static

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// sorted is what lies in a directory, in one order. It does not change.
type sorted struct {
	of      *directory
	folders []string
	assets  []*asset
}

// orders keeps the last large directory that was listed, in each order: to
// sort very many names costs far more than to show some of them, and anybody
// may ask for that again and again. A directory that has changed is another one.
type orders [6]atomic.Pointer[sorted]

const worthKeeping = 1000 // names

// sort returns the content of the directory at path in the order of v.
func (o *orders) sort(t *table, path string, v view) *sorted {
	i := 2 * slices.Index(sortKeys, v.by)
	if v.descending {
		i++
	}
	of := t.dir(path)
	if kept := o[i].Load(); kept != nil && kept.of == of {
		return kept
	}
	s := t.sort(path, v)
	if len(s.folders)+len(s.assets) >= worthKeeping {
		o[i].Store(s)
	}
	return s
}

// sort is orders.sort without a memory. Names are in natural order, and so are
// files that v's order says nothing about.
func (t *table) sort(path string, v view) *sorted {
	folders, assets := t.list(path)
	s := &sorted{of: t.dir(path), folders: slices.SortedFunc(slices.Values(folders), natural), assets: assets}
	slices.SortFunc(s.assets, func(a, b *asset) int {
		var c int
		switch v.by {
		case "size":
			c = cmp.Compare(a.stamp.size, b.stamp.size)
		case "modified":
			c = cmp.Compare(a.stamp.modified, b.stamp.modified)
		default:
			c = natural(a.path[len(path):], b.path[len(path):])
		}
		if v.descending {
			c = -c
		}
		return cmp.Or(c, natural(a.path[len(path):], b.path[len(path):]))
	})
	if v.by == "name" && v.descending {
		slices.Reverse(s.folders)
	}
	return s
}
