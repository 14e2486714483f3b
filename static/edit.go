package static

import "slices"

// edit is a copy of a table being changed.
type edit struct {
	table
	dirs  *indexEdit[*directory]
	open  map[string]*openDirectory
	files []*asset     // that were taken out or replaced
	whole []*directory // likewise
}

// openDirectory is a copy of a directory being changed.
type openDirectory struct {
	directory
	files *indexEdit[*asset]
}

func (t *table) edit() *edit {
	return &edit{table: *t, dirs: t.dirs.edit(), open: map[string]*openDirectory{}}
}

// dir returns the directory at a path, which ends in a slash, as it is by now but for its files.
func (e *edit) dir(path string) *directory {
	if d := e.open[path]; d != nil {
		return &d.directory
	}
	return e.dirs.get(path)
}

// change opens the directory at path, which is there.
func (e *edit) change(path string) *openDirectory {
	d := e.open[path]
	if d == nil {
		was := e.dirs.get(path)
		d = &openDirectory{*was, was.files.edit()}
		e.open[path] = d
	}
	return d
}

// set puts a file into its directory, which is there; a is nil when there is no file.
func (e *edit) set(path string, a *asset) {
	dir, name := splitPath(path)
	was := e.dirs.get(dir).files.get(path)
	if d := e.open[dir]; d != nil {
		was = d.files.get(path)
	}
	if was == a {
		return
	}
	d := e.change(dir)
	if was != nil {
		e.files = append(e.files, was)
		e.seen--
	}
	if a != nil {
		d.files.put(a)
		e.seen++
	} else {
		d.files.remove(path)
	}
	if name == "index.html" {
		d.directory.index = a
	}
}

// put puts a directory that was read in its place, where none is. Whoever does so sees to it that the one it lies in knows it.
func (e *edit) put(d *directory) {
	e.seen += d.files.count + 1
	e.dirs.put(d)
	delete(e.open, d.path)
}

// link tells the directory that the one at path lies in whether it is there.
func (e *edit) link(path string, there bool) {
	parent, name := splitPath(path)
	at, has := slices.BinarySearch(e.dir(parent).folders, name)
	if has == there {
		return
	}
	d := &e.change(parent).directory
	d.folders = slices.Clone(d.folders)
	if there {
		d.folders = slices.Insert(d.folders, at, name)
	} else {
		d.folders = slices.Delete(d.folders, at, at+1)
	}
}

// drop takes out the directory at path, if there is one, and all below it.
func (e *edit) drop(path string) {
	d := e.dir(path)
	if d == nil {
		return
	}
	e.whole = append(e.whole, e.dirs.get(path))
	e.seen -= d.files.count + 1
	e.dirs.remove(path)
	delete(e.open, path)
	for _, name := range d.folders {
		e.drop(path + name + "/")
	}
}

// changed tells whether anything has been done.
func (e *edit) changed() bool { return len(e.open)+len(e.whole) > 0 }

// done returns the changed table.
func (e *edit) done() *table {
	for _, d := range e.open {
		d.directory.files = d.files.index
		e.dirs.put(&d.directory)
	}
	t := e.table
	t.number = tables.Add(1)
	t.dirs = e.dirs.index
	return &t
}
