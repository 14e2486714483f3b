package service

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// mostPackage bounds a package.json that is read.
const mostPackage = 1 << 20

// packages knows the versions that package.json files declare. The files are
// read again when they have changed.
type packages struct {
	mu   sync.Mutex
	seen map[string]packageFile // by path
}

type packageFile struct {
	changed time.Time
	size    int64
	version string
}

// of is the version of the package.json nearest to folder, in it or above;
// empty when there is none.
func (p *packages) of(folder string) string {
	for {
		path := filepath.Join(folder, "package.json")
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return p.read(path, info)
		}
		above := filepath.Dir(folder)
		if above == folder {
			return ""
		}
		folder = above
	}
}

func (p *packages) read(path string, info os.FileInfo) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.seen[path]
	if ok && known.changed.Equal(info.ModTime()) && known.size == info.Size() {
		return known.version
	}
	if p.seen == nil {
		p.seen = map[string]packageFile{}
	}
	p.seen[path] = packageFile{info.ModTime(), info.Size(), versionIn(path)}
	return p.seen[path].version
}

// versionIn reads one file; what is no package.json has no version.
func versionIn(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	var content struct {
		Version string `json:"version"`
	}
	if json.NewDecoder(io.LimitReader(f, mostPackage)).Decode(&content) != nil {
		return ""
	}
	return content.Version
}
