package tls

// rootsFile is a file of the roots that certificates of clients are signed by,
// which somebody else writes. Its content is taken over when it has been as it
// is for two looks; what holds no root leaves those from before.
type rootsFile struct {
	name        string
	taken, seen stamp  // of the file as it was last read, and at the last look; the watch's
	text        string // guarded by Certs.mu; empty: no certificate is good
}

func (f *rootsFile) stamp() stamp { return stampOf([2]string{f.name, f.name}) }

func newRootsFile(name string) *rootsFile {
	f := &rootsFile{name: name}
	f.text, _, _ = f.read() // what is wrong refuses the config, or is told of it in the status
	return f
}

// look returns what the file has become, or what is wrong with it; ok is false when there is nothing new.
func (f *rootsFile) look() (text string, wrong *Complaint, ok bool) {
	is, was := f.stamp(), f.seen
	f.seen = is
	if !is.equal(was) || is.equal(f.taken) {
		return "", nil, false
	}
	return f.read()
}

// read reads the file, unless it changes meanwhile.
func (f *rootsFile) read() (text string, wrong *Complaint, ok bool) {
	before := f.stamp()
	raw, wrong := readPeople(f.name)
	if f.seen = f.stamp(); !f.seen.equal(before) {
		return "", nil, false
	}
	f.taken = before
	return string(raw), wrong, true
}

// readPeople reads roots of clients in PEM form. The complaint is about the key "ca".
func readPeople(name string) ([]byte, *Complaint) {
	text, wrong := readPEM("ca", name)
	if wrong != nil {
		return nil, wrong
	}
	if pool, _ := rootsOf(string(text)); pool == nil {
		return nil, &Complaint{"ca", name + " holds no certificate in PEM form", "name a file with at least one BEGIN CERTIFICATE block"}
	}
	return text, nil
}

// rootsFiles are those of all; what is known stays, and the watch alone has it change.
func (c *Certs) rootsFiles(all []Clients) map[string]*rootsFile {
	c.mu.Lock()
	known := c.people
	c.mu.Unlock()
	files := map[string]*rootsFile{}
	for _, a := range all {
		if files[a.CA] == nil {
			if files[a.CA] = known[a.CA]; files[a.CA] == nil {
				files[a.CA] = newRootsFile(a.CA)
			}
		}
	}
	return files
}

// reloadRoots takes over what has changed in files of roots.
func (c *Certs) reloadRoots() {
	c.mu.Lock()
	files := c.people // a Want replaces it, and leaves it as it is
	c.mu.Unlock()
	for name, f := range files {
		text, wrong, ok := f.look() // without c.mu: a disk may be slow
		switch {
		case !ok:
		case wrong != nil:
			c.log.Warn("the file of the CA of clients is in trouble; the roots from before count", "ca", name, "error", wrong.What, "hint", wrong.Hint)
		default:
			c.log.Info("roots of clients read from their file", "ca", name)
			c.mu.Lock()
			f.text = text
			if c.people[name] == f {
				c.trusts = c.newTrusts(c.want.Clients, c.people)
				c.publish()
			}
			c.mu.Unlock()
		}
	}
}
