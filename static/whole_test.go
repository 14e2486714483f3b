package static

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"roost/internal/httplint"
)

// A version is what a file holds at one time: 200 KB that end in the hash of
// the rest, so that no two states mixed and no part pass for whole.
const versionSize = 200 << 10

var version = func() func(n int) []byte {
	var made sync.Map
	return func(n int) []byte {
		b, _ := made.LoadOrStore(n, sync.OnceValue(func() []byte { return newVersion(n) }))
		return b.(func() []byte)()
	}
}()

func newVersion(n int) []byte {
	b := bytes.Repeat(binary.BigEndian.AppendUint64(nil, uint64(n)), versionSize/8)
	sum := sha256.Sum256(b[:versionSize-sha256.Size])
	copy(b[versionSize-sha256.Size:], sum[:])
	return b
}

// versionOf returns the number of the version that b is, and an error if it is none.
func versionOf(b []byte) (int, error) {
	if len(b) != versionSize {
		return 0, fmt.Errorf("%d bytes of %d", len(b), versionSize)
	}
	n := int(binary.BigEndian.Uint64(b))
	if !bytes.Equal(b, version(n)) {
		return 0, errors.New("a mixture")
	}
	return n, nil
}

// writers put a version into a file, each in its own way. They pause between the
// pieces, for less than a file must rest to be taken as whole.
var writers = map[string]func(file string, n int, pause func()) error{
	"truncate and write": func(file string, n int, pause func()) error {
		return inPieces(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, n, pause)
	},
	"write over": func(file string, n int, pause func()) error {
		return inPieces(file, os.O_WRONLY|os.O_CREATE, n, pause)
	},
	"remove and write": func(file string, n int, pause func()) error {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return inPieces(file, os.O_WRONLY|os.O_CREATE, n, pause)
	},
	"write beside and rename": func(file string, n int, pause func()) error {
		if err := inPieces(file+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, n, pause); err != nil {
			return err
		}
		return os.Rename(file+".new", file)
	},
	"write and set the time back": func(file string, n int, pause func()) error {
		if err := inPieces(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, n, pause); err != nil {
			return err
		}
		return os.Chtimes(file, time.Time{}, time.Unix(1_000_000_000, 0)) // the same for each version
	},
	"backwards": func(file string, n int, pause func()) error {
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		all := version(n)
		for at := versionSize - versionSize/8; at >= 0; at -= versionSize / 8 {
			if _, err := f.WriteAt(all[at:at+versionSize/8], int64(at)); err != nil {
				return err
			}
			pause()
		}
		return nil
	},
}

func inPieces(file string, flag, n int, pause func()) error {
	f, err := os.OpenFile(file, flag, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	for piece := range slices.Chunk(version(n), versionSize/8) {
		pause()
		if _, err := f.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// Whoever writes a file slowly must not be seen doing it, whatever learns of the
// change, and whether the file was asked for before or not.
func TestNoAnswerIsHalfWritten(t *testing.T) {
	t.Parallel()
	all := files{}
	for name := range writers {
		all[name+", asked for before"], all[name+", not asked for before"] = string(version(1)), string(version(1))
	}
	eachMode(t, all, func(t *testing.T, s *site) {
		var writing sync.WaitGroup
		for name, writer := range writers {
			for _, file := range []string{name + ", asked for before", name + ", not asked for before", name + ", new"} {
				if strings.HasSuffix(file, "asked for before") && !strings.HasSuffix(file, "not asked for before") {
					s.shows("/"+url.PathEscape(file), 200, string(version(1)))
				}
				writing.Go(func() { s.writeUnseen(file, writer) })
			}
		}
		writing.Wait()
	})
}

// writeUnseen has a version written and asks for the file meanwhile, from the
// beginning until the new version shows. Where the writer is held up by a busy
// box, so that the file rests before it is whole, what was seen until then counts
// and it is tried again.
func (s *site) writeUnseen(file string, writer func(string, int, func()) error) {
	for n := 2; n < 6; n++ {
		var last atomic.Int64 // when the writer last went on, before it wrote
		var rested atomic.Bool
		resting := func() bool { return time.Since(time.Unix(0, last.Load())) > quiet/2 }
		last.Store(time.Now().UnixNano())
		done := make(chan error, 1)
		go func() {
			done <- writer(s.path(file), n, func() {
				if resting() { // it took that long to write
					rested.Store(true)
				}
				<-time.After(quiet / 5)
				if resting() {
					rested.Store(true)
				}
				last.Store(time.Now().UnixNano())
			})
		}()
		writing, seen := true, 0
		for writing && !rested.Load() {
			now, err := s.versionAt(file, n, seen)
			if err != nil && !rested.Load() && !resting() {
				s.t.Errorf("%s: %v", file, err)
				break
			}
			seen = now
			select {
			case err := <-done:
				check(s.t, err)
				writing = false
			case <-time.After(30 * time.Millisecond):
			}
		}
		if writing {
			check(s.t, <-done)
		}
		within(s.t, time.Second, file+" shows version "+strconv.Itoa(n), func() bool {
			now, err := s.versionAt(file, n, seen)
			if err != nil && !rested.Load() {
				s.t.Errorf("%s: %v", file, err)
			}
			return now == n || s.t.Failed()
		})
		if s.t.Failed() || !rested.Load() {
			return
		}
		// Cutting a file shows before its new time does (see torn): only against a state that is known.
		within(s.t, time.Second, file+" is in the table as it is", func() bool {
			fi, err := os.Stat(s.path(file))
			a := s.table.Load().asset("/" + file)
			return err == nil && a != nil && a.stamp == stampOf(fi)
		})
	}
}

// versionAt asks for a file whose latest version is n, and complains of what is
// not a version, or older than what was seen before.
func (s *site) versionAt(file string, n, before int) (int, error) {
	w := httplint.Record(s.t, s, httptest.NewRequest("GET", "/"+url.PathEscape(file), nil))
	if w.Code == http.StatusNotFound && before < n && (n == 2 && strings.HasSuffix(file, "new") || strings.HasPrefix(file, "remove")) {
		return before, nil // there is nothing else to be said of a file that is not there, or not whole yet
	}
	if w.Code != http.StatusOK {
		return 0, fmt.Errorf("status %d", w.Code)
	}
	now, err := versionOf(w.Body.Bytes())
	if err == nil && now < before {
		err = fmt.Errorf("version %d after %d", now, before)
	}
	return now, err
}
