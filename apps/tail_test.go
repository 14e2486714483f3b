package apps

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roost/internal/rotated"
)

func texts(lines []Line) (all []string) {
	for _, l := range lines {
		all = append(all, fmt.Sprintf("%s/%s/%d %s", l.App, l.Stream, l.Slot, l.Text))
	}
	return all
}

// logged writes lines as an app has them; a time is seconds after a fixed one.
func logged(t *testing.T, path string, lines ...any) {
	t.Helper()
	var b []byte
	for i := 0; i < len(lines); i += 2 {
		at := time.Date(2026, 11, 23, 1, 0, lines[i].(int), 0, time.UTC)
		b = appendLine(b, at, 0, []byte(lines[i+1].(string)))
	}
	write(t, path, string(b), 0o600)
}

func TestTailMergesByTime(t *testing.T) {
	dir := t.TempDir()
	logged(t, filepath.Join(dir, "a-out.log"), 1, "one", 4, "four", 7, "seven")
	logged(t, filepath.Join(dir, "a-error.log"), 2, "two", 5, "five", 7, "seven too")
	logged(t, filepath.Join(dir, "b-out.log"), 3, "three", 6, "six")
	all := []string{"a/out/0 one", "a/err/0 two", "b/out/0 three", "a/out/0 four", "a/err/0 five", "b/out/0 six", "a/out/0 seven", "a/err/0 seven too"}
	for n := range 10 {
		got, err := tailOf(dir, []string{"a", "b", "absent"}, nil, n)
		if want := all[max(0, len(all)-n):]; err != nil || !slices.Equal(texts(got), want) {
			t.Errorf("%d: %q, %v", n, texts(got), err)
		}
	}
	if got, err := tailOf(dir, []string{"a"}, []string{"err"}, 2); err != nil || strings.Join(texts(got), "|") != "a/err/0 five|a/err/0 seven too" || got[0].Time.Second() != 5 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestTailReadsLargeFilesFromTheirEnd(t *testing.T) {
	dir := t.TempDir()
	var lines []any
	for i := range 20_000 {
		lines = append(lines, i%60, fmt.Sprint(i, strings.Repeat("x", i%100)))
	}
	logged(t, filepath.Join(dir, "a-out.log"), lines...)
	for _, n := range []int{1, 10, 5000, 20_000, 30_000} {
		got, err := tailOf(dir, []string{"a"}, []string{"out"}, n)
		if err != nil || len(got) != min(n, 20_000) {
			t.Fatalf("%d lines of %d, %v", len(got), n, err)
		}
		for i, l := range got {
			if want := lines[2*(20_000-len(got)+i)+1]; l.Text != want {
				t.Fatalf("%q, want %q", l.Text, want)
			}
		}
	}
}

func TestTailTakesLinesThatAreNotOurs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a-out.log")
	long := strings.Repeat("z", 3*backwardLine)
	write(t, path, "plain\n2026-11-23T01:48:48.123Z 0 ours\nrest of one\n2026-11-23T01:48:49.000Z -1 last\n"+long, 0o600)
	got, err := tailOf(dir, []string{"a"}, []string{"out"}, 100)
	if err != nil {
		t.Fatal(err)
	}
	var joined strings.Builder
	for _, l := range got[4:] {
		joined.WriteString(l.Text)
	}
	if first := texts(got[:4]); strings.Join(first, "|") != "a/out/-1 plain|a/out/0 ours|a/out/-1 rest of one|a/out/-1 last" || joined.String() != long {
		t.Errorf("%q and %d bytes", first, joined.Len())
	}
	if !got[0].Time.Equal(got[1].Time) || !got[2].Time.Equal(got[3].Time) {
		t.Errorf("times %v", got[:4])
	}
	write(t, path, "", 0o600)
	if got, err := tailOf(dir, []string{"a"}, nil, 5); len(got) != 0 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFilesRotateAtTheirSizeAndTailReadsThroughThem(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web-out.log")
	b := testBook(dir, "web", minLogSize, 4, nil)
	b.sinks[streamOut].file.(*logFile).calm = 200 * time.Millisecond
	w := b.writer(0, "out")
	const size, total = 1000, 1000 // 15 files of 66 lines, 5 of them kept
	for i := range total {
		fmt.Fprintf(w, "%05d %s\n", i, strings.Repeat("x", size))
		if i%20 == 0 && !b.sync() { // several writes a file, and several files a write
			t.Fatal("cannot write")
		}
		if i == 500 {
			b.want(&Wanted{Config: Config{Name: "web", MaxLogSize: 2 * minLogSize, MaxLogFiles: 4}}) // from here on 131 lines a file
		}
	}
	b.sync()
	eventually(t, "old files are compressed, the oldest removed", func() bool {
		old, err := rotated.Files(path)
		if err != nil {
			t.Fatal(err)
		}
		return len(old) == 4 && !slices.ContainsFunc(old, func(r rotated.File) bool { return !strings.HasSuffix(r.Path, ".gz") })
	})
	if info, err := os.Stat(path); err != nil || info.Size() > 2*minLogSize || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, n := range []int{1, 50, 400, 10_000} {
		got, err := tailOf(dir, []string{"web"}, nil, n)
		if err != nil || n < 500 && len(got) != n || n > 500 && len(got) < 4*120 {
			t.Fatalf("%d lines of %d, %v", len(got), n, err)
		}
		for i, l := range got {
			if want := fmt.Sprintf("%05d ", total-len(got)+i); !strings.HasPrefix(l.Text, want) {
				t.Fatalf("%.10q, want %q", l.Text, want)
			}
		}
	}

	// A copy that compressing left unfinished, and one that is being compressed.
	old, _ := rotated.Files(path)
	text, err := os.ReadFile(old[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, old[0].Path, string(text[:len(text)/2]), 0o600)
	if got, err := tailOf(dir, []string{"web"}, nil, 10_000); err != nil || len(got) < 4*120-131 {
		t.Errorf("with a cut file %d lines, %v", len(got), err)
	}
	write(t, old[0].Path, string(text), 0o600)
	write(t, strings.TrimSuffix(old[0].Path, ".gz"), "2026-11-23T01:48:48.123Z 0 not compressed yet\n", 0o600)
	got, err := tailOf(dir, []string{"web"}, nil, 10_000)
	n := 0
	for _, l := range got {
		if l.Text == "not compressed yet" {
			n++
		}
	}
	if err != nil || n != 1 || len(got) > 5*131-100 {
		t.Errorf("%d lines, %v", len(got), err)
	}

	if err := b.flush(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everything is gone", func() bool {
		old, _ := rotated.Files(path)
		got, err := tailOf(dir, []string{"web"}, nil, 10)
		return len(old) == 0 && len(got) == 0 && err == nil
	})
	fmt.Fprintln(w, "new")
	b.close()
	if got := linesOf(t, path); strings.Join(got, "|") != "0 new" {
		t.Errorf("after flush %q", got)
	}
}

func TestAFileThatIsRemovedOrEmptiedByOthersIsNoticed(t *testing.T) {
	dir := t.TempDir()
	f := openLogFile(filepath.Join(dir, "a.log"), 0o600)
	defer f.close()
	put := func(text string) {
		t.Helper()
		f.checked = time.Time{} // it is time to look
		if _, err := f.write([]byte(text), 1<<20, 1); err != nil {
			t.Fatal(err)
		}
	}
	read := func() string {
		text, _ := os.ReadFile(f.path)
		return string(text)
	}
	put("one\n")
	os.Remove(f.path)
	put("two\n")
	if read() != "two\n" {
		t.Errorf("after a removal %q", read())
	}
	os.Rename(f.path, f.path+".moved")
	write(t, f.path, "theirs\n", 0o600)
	put("three\n")
	if read() != "theirs\nthree\n" {
		t.Errorf("after a move %q", read())
	}
	os.Truncate(f.path, 0)
	put("four\n")
	if read() != "four\n" || f.size != 5 {
		t.Errorf("after emptying %q, %d bytes", read(), f.size)
	}
}

func TestReopenedFilesAreAtTheirPathsAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web-out.log")
	b := testBook(dir, "web", 0, 0, nil)
	defer b.close()
	w := b.writer(0, "out")
	if err := b.reopen(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file without a line was made")
	}
	fmt.Fprintln(w, "one")
	b.sync()
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	if err := b.reopen(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is not there again: %v", err)
	}
	fmt.Fprintln(w, "two")
	b.sync()
	if got := linesOf(t, path); strings.Join(got, "|") != "0 two" {
		t.Errorf("%q", got)
	}
	os.Remove(path)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := b.reopen(); err == nil || !strings.Contains(err.Error(), "cannot open log "+path+" again") {
		t.Errorf("%v", err)
	}
}

func TestRotatedFilesAreTheirOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"web-out.log", "web-out-2026-11-23T01-48-48.123.log", "web-out-2026-11-23T01-48-49.123.log.gz", "web-out-2026-11-23T01-48-50.123.log.gz",
		"web-out-out.log", "web-out-out-2026-11-23T01-48-48.123.log", "web-error-2026-11-23T01-48-48.123.log", "web-out-yesterday.log", "web-out-2026-11-23T01-48-48.123.log.bak",
	} {
		write(t, filepath.Join(dir, name), "", 0o600)
	}
	got, err := rotated.Files(filepath.Join(dir, "web-out.log"))
	if err != nil || len(got) != 3 || !strings.HasSuffix(got[0].Path, "50.123.log.gz") || !strings.HasSuffix(got[2].Path, "48.123.log") {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte("2026-11-23T01:48:48.123Z 0 text"))
	f.Add([]byte("2026-11-23T01:48:48.123Z -1 "))
	f.Add([]byte("2026-11-23T01:48:48.123Z"))
	f.Add([]byte("9999-99-99T99:99:99.999Z 0 text"))
	f.Fuzz(func(t *testing.T, line []byte) {
		at, slot, text, ok := parseLine(line)
		if !ok {
			return
		}
		again := appendLine(nil, at, slot, text)
		at2, slot2, text2, ok := parseLine(again[:len(again)-1])
		if !ok || !at2.Equal(at) || slot2 != slot || string(text2) != string(text) {
			t.Fatalf("%q becomes %q", line, again)
		}
	})
}
