package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"roost/host"
	"roost/internal/durable"
	"roost/service/control"
)

// stateVersion is the version of the state file's form. A file of another
// version is never guessed at.
const stateVersion = 1

// state is the content of state.json.
type state struct {
	Version int         `json:"version"`
	Config  host.Config `json:"config"`
}

// store keeps the wanted Config in a folder:
//
//	state.json                    what was acknowledged last, 0600: it has environments in it
//	state.json.1                  the generation before
//	state.json.next               only while a change is being made: proof that there is room for it
//	state.json.corrupt-<time>     what could not be understood; never removed by us
//
// It is used by one goroutine at a time, that of the editor.
type store struct {
	dir   string
	last  []byte                                                 // what state.json has; nil: there is none
	write func(path string, data []byte, perm os.FileMode) error // durable.WriteFile, or a test's
}

func openStore(dir string) *store { return &store{dir: dir, write: durable.WriteFile} }

func (s *store) path(suffix string) string { return filepath.Join(s.dir, "state.json"+suffix) }

// load reads the newest generation that can be understood. Those that cannot
// are set aside under another name and told in problems, for a person. No file
// at all is an empty Config. An error means that a file is there and could not be
// read or set aside: going on would in the end overwrite it.
func (s *store) load() (c host.Config, problems []string, err error) {
	os.Remove(s.path(".next"))
	missing := 0
	for _, suffix := range []string{"", ".1"} {
		path := s.path(suffix)
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return c, problems, &control.Error{
				Code: control.CodeStorage, Message: fmt.Sprintf("cannot read the state: %v", err),
				Hint: "see to it that this user may read " + path + "; nothing has been changed",
			}
		}
		c, bad := decodeState(text)
		if bad == nil {
			if suffix == "" {
				s.last = text
			} else if missing > 0 {
				problems = append(problems, "the state file "+s.path("")+" is missing: the generation before it is used")
			} else {
				problems = append(problems, "the generation before is used: check with roost list that nothing is amiss")
			}
			return c, problems, nil
		}
		aside, err := setAside(path, s.path(".corrupt-"+time.Now().UTC().Format("20060102T150405")))
		if err != nil {
			return c, problems, &control.Error{
				Code: control.CodeStorage, Message: fmt.Sprintf("the state file %s is unusable (%v) and cannot be set aside: %v", path, bad, err),
				Hint: "move it elsewhere by hand; nothing has been changed",
			}
		}
		problems = append(problems, fmt.Sprintf("the state file %s is unusable (%v); it was kept as %s", path, bad, aside))
	}
	if len(problems) > 0 {
		problems = append(problems, "no usable state is left: started with nothing; apply your config files again, or repair the kept file and put it back")
	}
	return host.Config{}, problems, nil
}

// setAside renames path to a name that nothing has yet.
func setAside(path, name string) (string, error) {
	aside := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); err != nil {
			return aside, os.Rename(path, aside)
		}
		aside = fmt.Sprintf("%s-%d", name, n)
	}
}

func decodeState(text []byte) (host.Config, error) {
	var st state
	lines := json.NewDecoder(bytes.NewReader(text))
	if err := lines.Decode(&st); err != nil {
		return host.Config{}, fmt.Errorf("not a state file: %w", err)
	}
	if lines.More() {
		return host.Config{}, errors.New("not a state file: something follows the end")
	}
	if st.Version != stateVersion {
		return host.Config{}, fmt.Errorf("its version is %d, this program knows %d", st.Version, stateVersion)
	}
	for _, a := range st.Config.Apps { // an id must never be given out twice
		for _, slot := range a.Slots {
			st.Config.NextID = max(st.Config.NextID, slot.ID+1)
		}
	}
	return st.Config, nil
}

// room checks, before anything is touched, that c can be saved.
func (s *store) room(c host.Config) error {
	text, err := encodeState(c)
	if err != nil {
		return err
	}
	if err := s.write(s.path(".next"), text, 0o600); err != nil {
		os.Remove(s.path(".next"))
		return storageError(err)
	}
	return nil
}

// save makes c the state that the next start finds. On error the state on disk
// is what it was.
func (s *store) save(c host.Config) error {
	defer os.Remove(s.path(".next"))
	text, err := encodeState(c)
	if err != nil {
		return err
	}
	if bytes.Equal(text, s.last) {
		return nil
	}
	os.Remove(s.path(".next")) // gives its room to the two files below
	if s.last != nil {
		if err := s.write(s.path(".1"), s.last, 0o600); err != nil {
			return storageError(err)
		}
	}
	if err := s.write(s.path(""), text, 0o600); err != nil {
		return storageError(err)
	}
	s.last = text
	return nil
}

// drop forgets what room has made sure of.
func (s *store) drop() { os.Remove(s.path(".next")) }

func encodeState(c host.Config) ([]byte, error) {
	text, err := json.MarshalIndent(state{Version: stateVersion, Config: c}, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("cannot write the state: %w", err)
	}
	return append(text, '\n'), nil
}

func storageError(err error) error {
	return &control.Error{
		Code: control.CodeStorage, Message: fmt.Sprintf("cannot save the state, so nothing was changed: %v", err),
		Hint: "make room on that disk, or make the folder writable, and try again",
	}
}
