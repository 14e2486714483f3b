package apps

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roost/internal/unit"
)

// testBook is the book of an app that says only how its files rotate.
func testBook(dir, app string, maxSize int64, maxFiles int, log *slog.Logger) *logBook {
	return bookOf(dir, Config{Name: app, MaxLogSize: unit.Size(maxSize), MaxLogFiles: maxFiles}, log)
}

// bookOf is the book of an app with two slots, of the ids 7 and 8.
func bookOf(dir string, c Config, log *slog.Logger) *logBook {
	b := newLogBook(logLayout{dir: dir}, c.Name, log)
	b.want(&Wanted{Config: c, Slots: []Slot{{ID: 7}, {ID: 8}}})
	return b
}

// tailOf reads what is in the log files of apps in the folder dir, by streams;
// none: both.
func tailOf(dir string, apps, streams []string, n int) ([]Line, error) {
	var past []*History
	for _, app := range apps {
		h := testBook(dir, app, 0, 0, nil).history(nil)
		defer h.Close()
		past = append(past, h)
	}
	return Tail(past, n, func(l Line) bool { return len(streams) == 0 || slices.Contains(streams, l.Stream) })
}

// linesOf reads a log file's lines, without times.
func linesOf(t *testing.T, path string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for raw := range bytes.Lines(text) {
		_, slot, line, ok := parseLine(bytes.TrimSuffix(raw, []byte{'\n'}))
		if !ok {
			t.Errorf("%q is no line", raw)
		}
		lines = append(lines, fmt.Sprintf("%d %s", slot, line))
	}
	return lines
}

func TestEachStreamGoesToItsFile(t *testing.T) {
	dir := t.TempDir()
	b := testBook(filepath.Join(dir, "made"), "web", 0, 0, nil)
	before := time.Now().Add(-time.Second)
	fmt.Fprintln(b.writer(0, "out"), "to out")
	fmt.Fprintln(b.writer(12, "err"), "to err")
	fmt.Fprint(b.writer(1, "out"), "two\nlines\n")
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if got := linesOf(t, filepath.Join(dir, "made/web-out.log")); strings.Join(got, "|") != "0 to out|1 two|1 lines" {
		t.Errorf("%q", got)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "made/web-error.log"))
	at, slot, line, ok := parseLine(bytes.TrimSuffix(text, []byte{'\n'}))
	if !ok || slot != 12 || string(line) != "to err" || at.Before(before) || at.After(time.Now()) || text[len("2026-11-23T01:48:48.123")] != 'Z' {
		t.Errorf("%q", text)
	}
	if info, err := os.Stat(filepath.Join(dir, "made/web-out.log")); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	fmt.Fprintln(b.writer(0, "out"), "after the end")
	if err := b.close(); err != nil {
		t.Error(err)
	}
}

func TestALineThatAnEarlierProgramLeftOpenIsEnded(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "web-out.log"), "2026-11-23T01:48:48.123Z 0 cut o", 0o600)
	b := testBook(dir, "web", 0, 0, nil)
	fmt.Fprintln(b.writer(0, "out"), "next")
	b.close()
	if got := linesOf(t, filepath.Join(dir, "web-out.log")); strings.Join(got, "|") != "0 cut o|0 next" {
		t.Errorf("%q", got)
	}
}

// fakeDisk is a file that fails, is slow, or takes a part only, as it is told.
type fakeDisk struct {
	mu   sync.Mutex
	text bytes.Buffer
	room int           // bytes that it takes before it is full; <0: no end
	hold chan struct{} // writes wait for it
	slow time.Duration // writes take so long
}

var errNoSpace = errors.New("no space left on device")

func (d *fakeDisk) write(p []byte, maxSize int64, keep int) (int, error) {
	if d.hold != nil {
		<-d.hold
	}
	time.Sleep(d.slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.room >= 0 && d.room < len(p) {
		n, _ := d.text.Write(p[:d.room])
		d.room = 0
		return n, errNoSpace
	}
	if d.room >= 0 {
		d.room -= len(p)
	}
	return d.text.Write(p)
}
func (d *fakeDisk) truncate() error { return nil }
func (d *fakeDisk) reopen() error   { return nil }
func (d *fakeDisk) reader() (*backward, time.Time, error) {
	return nil, time.Time{}, fs.ErrNotExist
}
func (d *fakeDisk) close() error { return nil }

// said collects what a logger is told.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), what)
}

func TestAFullDiskLosesOnlyWhatFindsNoRoomAndIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log said
		b := testBook(t.TempDir(), "web", 0, 0, slog.New(slog.NewTextHandler(&log, nil)))
		disk := &fakeDisk{room: 100}
		b.sinks[streamOut].file = disk
		w := b.writer(0, "out")
		begin := time.Now()
		for i := range 100 {
			fmt.Fprintf(w, "%d %s\n", i, strings.Repeat("x", maxLine/2))
		}
		synctest.Wait()
		for i := range 300 { // 2 MiB fit, here and on their way
			fmt.Fprintf(w, "%d %s\n", 100+i, strings.Repeat("x", maxLine/2))
		}
		if !time.Now().Equal(begin) {
			t.Error("the app was held up")
		}
		time.Sleep(10 * diskPause) // more failures
		if n := log.count("cannot write log"); n != 1 {
			t.Errorf("said %d times", n)
		}
		disk.mu.Lock()
		disk.room = -1
		disk.mu.Unlock()
		time.Sleep(2 * diskPause)
		fmt.Fprintln(w, "again")
		if err := b.close(); err != nil {
			t.Error(err)
		}
		if log.count("log is written again") != 1 || log.count("lines lost") != 1 {
			t.Errorf("%s", log.text.String())
		}
		next, lost := 0, 0
		for raw := range strings.Lines(disk.text.String()) {
			_, slot, text, ok := parseLine([]byte(strings.TrimSuffix(raw, "\n")))
			if !ok {
				t.Fatalf("%.100q is no line", raw)
			}
			var i int
			switch {
			case string(text) == "again":
				next++
			case slot == ourSlot:
				fmt.Sscanf(string(text), "roost: %d lines are missing here", &lost)
				next += lost
			default:
				fmt.Sscan(string(text), &i)
				if i != next {
					t.Fatalf("line %d comes where %d should", i, next)
				}
				next++
			}
		}
		if next != 401 || lost < 100 || lost > 280 {
			t.Errorf("%d lines are told of, %d lost", next, lost)
		}
	})
}

func TestADiskThatDoesNotAnswerHoldsNoAppUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBook(t.TempDir(), "web", 0, 0, nil)
		disk := &fakeDisk{room: -1, hold: make(chan struct{})}
		b.sinks[streamOut].file = disk
		w := b.writer(0, "out")
		for i := range 100_000 {
			fmt.Fprintln(w, i, strings.Repeat("x", 50))
		}
		if n := len(b.sinks[streamOut].waiting.text); n > maxPending+maxLine {
			t.Errorf("%d bytes wait", n)
		}
		begin := time.Now()
		if err := b.close(); err == nil || time.Since(begin) != closePatience {
			t.Errorf("close: %v after %v", err, time.Since(begin))
		}
		close(disk.hold)
		<-b.ended
	})
}

func TestADiskThatStaysFullIsToldOfAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBook(t.TempDir(), "web", 0, 0, nil)
		b.sinks[streamErr].file = &fakeDisk{room: 10}
		w := b.writer(0, "err")
		fmt.Fprint(w, "a\nb\nc\n")
		synctest.Wait()
		if err := b.close(); err == nil || !strings.Contains(err.Error(), "last 3 lines") {
			t.Errorf("%v", err)
		}
	})
}

func TestFollowersGetEveryLineFromTheirStartOn(t *testing.T) {
	b := testBook(t.TempDir(), "web", 0, 0, nil)
	w := b.writer(3, "err")
	fmt.Fprintln(w, "before")
	_, a, stopA := b.follow()
	_, c, stopC := b.follow()
	defer stopC()
	fmt.Fprintln(w, "one")
	for _, lines := range []<-chan Line{a, c} {
		l := within(t, "a line", lines)
		if l.App != "web" || l.Slot != 3 || l.Stream != "err" || l.Text != "one" || l.Time.Location() != time.UTC {
			t.Errorf("%+v", l)
		}
	}
	stopA()
	stopA()
	if _, open := <-a; open {
		t.Error("a line after stop")
	}
	fmt.Fprintln(w, "two")
	b.close()
	if l := within(t, "a line", c); l.Text != "two" {
		t.Errorf("%+v", l)
	}
	if _, open := <-c; open {
		t.Error("a line after the end")
	}
	_, late, stop := b.follow()
	defer stop()
	if _, open := <-late; open {
		t.Error("a line of a book that has ended")
	}
}

func TestASlowFollowerIsToldWhatItMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBook(t.TempDir(), "web", 0, 0, nil)
		_, lines, stop := b.follow()
		w := b.writer(0, "out")
		fmt.Fprintln(w, 0)
		synctest.Wait() // the first is on offer, the rest waits
		for i := range 5000 {
			fmt.Fprintln(w, i+1)
		}
		next, told := 0, 0
		for range 1 + maxFollow + 1 {
			l := <-lines
			if l.Slot == ourSlot {
				var lost int
				fmt.Sscanf(l.Text, "roost: %d lines are missing here", &lost)
				next += lost
				told++
				continue
			}
			if l.Text != fmt.Sprint(next) {
				t.Fatalf("%q where %d should be", l.Text, next)
			}
			next++
		}
		if next != 5001 || told != 1 {
			t.Errorf("%d lines are told of, loss %d times", next, told)
		}
		fmt.Fprintln(w, "later")
		if l := <-lines; l.Text != "later" {
			t.Errorf("%+v", l)
		}
		stop()
		b.close()
	})
}
