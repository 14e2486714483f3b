package apps

import (
	"fmt"
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

	"roost/internal/rotated"
	"roost/internal/unit"
)

func TestWhereOutputGoes(t *testing.T) {
	no, yes := false, true
	ours, pm2 := logLayout{dir: "/l"}, logLayout{dir: "/p/logs", pm2: true}
	for _, c := range []struct {
		name   string
		layout logLayout
		config Config
		want   string
	}{
		{"nothing said", ours, Config{}, "*o /l/web-out.log line, *e /l/web-error.log line"},
		{"nothing said, clustered", ours, Config{Instances: 2, ExecMode: "cluster"}, "*o /l/web-out.log line, *e /l/web-error.log line"},
		{"relative and absolute", ours, Config{Cwd: "/srv", OutFile: "log/o.log", ErrorFile: "/var/../e"}, "*o /srv/log/o.log line, *e /e line"},
		{"nowhere", ours, Config{OutFile: "NULL", ErrorFile: "/dev/null"}, ""},
		{"one nowhere", ours, Config{OutFile: "/dev/null", LogType: "json"}, "*e /l/web-error.log json"},
		{"all of it", ours, Config{LogFile: "true"}, "*o /l/web-out.log line, *e /l/web-error.log line, *oe /l/web.log line also"},
		{"all of it, named", ours, Config{Cwd: "/srv", LogFile: "a.log", OutFile: "NULL", ErrorFile: "NULL"}, "*oe /srv/a.log line also"},
		{"all of it, beside our own log", ours, Config{Name: "roost", LogFile: "true", OutFile: "NULL", ErrorFile: "NULL"}, "*oe /l/roost+66k9sdi4a9241mpg.log line also"},
		{"ours, a twin", ours, Config{LogFile: "true"}, "*o /l/web+9df5ftnb5t1bi0sr-out.log line, *e /l/web+9df5ftnb5t1bi0sr-error.log line, *oe /l/web+9df5ftnb5t1bi0sr.log line also"},
		{"all of it, like another's output", ours, Config{Name: "web-out", LogFile: "true", OutFile: "NULL", ErrorFile: "NULL"}, "*oe /l/web-out+4pf4b913l55jegge.log line also"},
		{"PM2's, a twin", pm2, Config{Cwd: "/srv", Name: "a b", ErrorFile: "e.log"}, "0o /p/logs/a-b-out-7.log raw, 1o /p/logs/a-b-out-8.log raw, *e /srv/e.log raw"},
		{"one for both", ours, Config{OutFile: "/a", ErrorFile: "/a"}, "*oe /a line"},
		{"one for all", ours, Config{OutFile: "/a", ErrorFile: "/a", LogFile: "/a"}, "*oe /a line"},
		{"one each", ours, Config{MergeLogs: &no}, "0o /l/web-out-7.log line, 1o /l/web-out-8.log line, 0e /l/web-error-7.log line, 1e /l/web-error-8.log line"},
		{"one each without .log", ours, Config{MergeLogs: &no, OutFile: "/o.txt", ErrorFile: "NULL"}, "*o /o.txt line"},
		{"none", ours, Config{DisableLogs: true, LogFile: "true"}, ""},
		{"raw by its date", ours, Config{Time: true, ErrorFile: "NULL"}, "*o /l/web-out.log raw"},
		{"PM2's", pm2, Config{Name: "my app_1!"}, "*o /p/logs/my-app-1--out.log raw, *e /p/logs/my-app-1--error.log raw"},
		{"PM2's, several", pm2, Config{Instances: 2, LogFile: "true", ErrorFile: "/e.log"},
			"0o /p/logs/web-out-7.log raw, 1o /p/logs/web-out-8.log raw, 0e /e-7.log raw, 1e /e-8.log raw, 0oe /p/logs/web-7.log raw also, 1oe /p/logs/web-8.log raw also"},
		{"PM2's, clustered", pm2, Config{ExecMode: "cluster", ErrorFile: "NULL", LogType: "json"}, "0o /p/logs/web-out-7.log json, 1o /p/logs/web-out-8.log json"},
		{"PM2's, merged", pm2, Config{Instances: 2, MergeLogs: &yes, ErrorFile: "NULL"}, "*o /p/logs/web-out.log raw"},
	} {
		if c.config.Name == "" {
			c.config.Name = "web"
		}
		var got []string
		for _, p := range c.layout.places(&Wanted{Config: c.config, Twin: strings.HasSuffix(c.name, "a twin")}, []int{7, 8}) {
			s := fmt.Sprint(p.slot)
			if p.slot == anySlot {
				s = "*"
			}
			for i, letter := range []string{"o", "e"} {
				if p.streams[i] {
					s += letter
				}
			}
			s += " " + filepath.ToSlash(p.path) + " " + p.format.kind
			if p.also {
				s += " also"
			}
			if p.format.both != (p.streams == [2]bool{true, true}) || p.mode != map[bool]os.FileMode{false: 0o600, true: 0o644}[c.layout.pm2] {
				t.Errorf("%s: %+v", c.name, p)
			}
			got = append(got, s)
		}
		if runtime.GOOS != "windows" && strings.Join(got, ", ") != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, strings.Join(got, ", "), c.want)
		}
	}
}

func TestLogKeysThatMakeNoSenseAreRefused(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		config Config
		key    string
	}{
		{Config{LogType: "xml"}, "log_type"},
		{Config{LogType: "line", Time: true}, "log_type"},
		{Config{LogDateFormat: "a\nb"}, "log_date_format"},
		{Config{OutFile: dir}, "out_file"},
		{Config{Cwd: filepath.Dir(dir), ErrorFile: filepath.Base(dir)}, "error_file"},
		{Config{ErrorFile: "logs/"}, "error_file"},
		{Config{LogFile: "a\x00b"}, "log_file"},
		{Config{LogType: "raw", Time: true, OutFile: "new/o.log", LogFile: "true", ErrorFile: "NULL"}, ""},
	} {
		v := &validation{c: c.config}
		v.logs()
		if c.key == "" && len(v.found) > 0 || c.key != "" && (len(v.found) != 1 || v.found[0].Key != c.key || v.found[0].Hint == "") {
			t.Errorf("%+v: %+v", c.config, v.found)
		}
	}
}

// say has an instance of slot 1 write to both streams.
func say(b *logBook, out, err string) {
	fmt.Fprint(b.writer(1, "out"), out)
	fmt.Fprint(b.writer(1, "err"), err)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// back is what the history of a book reads back.
func back(t *testing.T, b *logBook) []Line {
	t.Helper()
	h := b.history(nil)
	defer h.Close()
	lines, err := Tail([]*History{h}, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestEachFormIsWrittenAndReadBack(t *testing.T) {
	const text = "a \"b\" \\ \x01\xff ü\t<"
	for name, c := range map[string]struct {
		config Config
		file   string // %s: the time
		layout string // of the time
		want   Line
	}{
		"line": {Config{ErrorFile: "NULL"}, "%s 1 " + text + "\n", lineTime, Line{ID: 8, Slot: 1, Stream: "out", Text: text}},
		"line, both streams": {Config{OutFile: "o.log", ErrorFile: "o.log"}, "%s 1 out " + text + "\n", lineTime,
			Line{ID: 8, Slot: 1, Stream: "out", Text: text}},
		"raw": {Config{LogType: "raw", ErrorFile: "NULL"}, text + "\n", "", Line{ID: -1, Slot: -1, Stream: "out", Text: text}},
		"raw, both streams": {Config{LogType: "raw", OutFile: "o.log", ErrorFile: "o.log"}, text + "\n", "",
			Line{ID: -1, Slot: -1, Text: text}},
		"json": {Config{LogType: "json", ErrorFile: "NULL"},
			`{"message":"a \"b\" \\ \u0001` + "\ufffd" + ` ü\t<","timestamp":"%s","type":"out","process_id":8,"app_name":"web"}` + "\n", lineTime,
			Line{ID: 8, Slot: 1, Stream: "out", Text: "a \"b\" \\ \x01\ufffd ü\t<"}},
		"its own": {Config{ErrorFile: "NULL", MergeLogs: new(bool), OutFile: "o.log", LogType: "raw"}, text + "\n", "",
			Line{ID: 8, Slot: 1, Stream: "out", Text: text}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.config.Name, c.config.Cwd = "web", dir
			b := bookOf(dir, c.config, nil)
			before := time.Now().Truncate(time.Millisecond)
			say(b, text+"\n", "")
			waiting := back(t, b)
			b.sync()
			paths, _ := filepath.Glob(filepath.Join(dir, "*.log"))
			if len(paths) != 1 {
				t.Fatalf("files: %q", paths)
			}
			got, lines := read(t, paths[0]), back(t, b)
			b.close()
			if len(lines) != 1 || !slices.Equal(lines, waiting) {
				t.Fatalf("read back: %+v, before it was in the file: %+v", lines, waiting)
			}
			c.want.App, c.want.Time = "web", lines[0].Time
			if lines[0] != c.want {
				t.Errorf("read back: %+v, want %+v", lines[0], c.want)
			}
			if at := lines[0].Time; c.layout == "" && !at.IsZero() || c.layout != "" && (at.Before(before) || at.After(time.Now())) {
				t.Errorf("time %v", at)
			}
			if want := strings.Replace(c.file, "%s", lines[0].Time.Format(lineTime), 1); got != want {
				t.Errorf("the file has %q, want %q", got, want)
			}
		})
	}
}

func TestADateStandsInFrontOfRawLinesAndTellsTheTime(t *testing.T) {
	dir := t.TempDir()
	b := bookOf(dir, Config{Name: "web", LogDateFormat: "YYYY-MM-DD HH:mm:ss.SSS Z"}, nil)
	defer b.close()
	_, follow, stop := b.follow()
	defer stop()
	say(b, "one\n", "")
	say(b, "", "two\n")
	say(b, "three\n", "")
	lines := back(t, b)
	var got []string
	for _, l := range lines {
		_, text, _ := strings.Cut(l.Text, ": ")
		if time.Since(l.Time) > time.Minute || l.Text != l.Time.Local().Format("2006-01-02 15:04:05.000 -07:00")+": "+text {
			t.Errorf("%+v", l)
		}
		got = append(got, text)
	}
	slices.Sort(got) // they may have come within one millisecond
	if strings.Join(got, " ") != "one three two" {
		t.Errorf("%q", got)
	}
	if l := within(t, "a line", follow); !slices.ContainsFunc(lines, func(m Line) bool { return m.Text == l.Text }) {
		t.Errorf("followers see %q", l.Text)
	}
}

func TestLinesOfTheOnlyInstanceAreItsOwnInWhateverForm(t *testing.T) {
	b := newLogBook(logLayout{dir: t.TempDir()}, "web", nil)
	defer b.close()
	b.want(&Wanted{Config: Config{Name: "web", LogType: "raw"}, Slots: []Slot{{ID: 7}}})
	fmt.Fprintln(b.writer(0, "out"), "one")
	if got := back(t, b); len(got) != 1 || got[0].ID != 7 || got[0].Slot != 0 {
		t.Errorf("%+v", got)
	}
}

func TestLinesWithoutTimesComeFileByFile(t *testing.T) {
	dir := t.TempDir()
	raw := bookOf(dir, Config{Name: "raw", LogType: "raw"}, nil)
	timed := bookOf(dir, Config{Name: "timed", ErrorFile: "NULL"}, nil)
	defer raw.close()
	defer timed.close()
	for i := range 10 {
		say(raw, fmt.Sprintf("o%d\n", i), fmt.Sprintf("e%d\n", i))
		say(timed, fmt.Sprintf("t%d\n", i), "")
	}
	for n, want := range map[int]string{
		1:  "e9",
		6:  "o8 o9 e8 e9 t8 t9",
		12: "o6 o7 o8 o9 e6 e7 e8 e9 t6 t7 t8 t9",
		90: "o0 o1 o2 o3 o4 o5 o6 o7 o8 o9 e0 e1 e2 e3 e4 e5 e6 e7 e8 e9 t0 t1 t2 t3 t4 t5 t6 t7 t8 t9",
	} {
		past := []*History{timed.history(nil), raw.history(nil)}
		lines, err := Tail(past, n, nil)
		var got []string
		for _, l := range lines {
			got = append(got, l.Text)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%d: %q, want %q, %v", n, got, want, err)
		}
		for _, h := range past {
			h.Close()
		}
	}
}

func TestWhatOnlyTheCommonFileHasIsReadFromIt(t *testing.T) {
	b := bookOf(t.TempDir(), Config{Name: "web", LogFile: "true", OutFile: "NULL"}, nil)
	defer b.close()
	say(b, "one\n", "two\n")
	if got := texts(back(t, b)); strings.Join(got, "|") != "web/out/1 one|web/err/1 two" {
		t.Errorf("%q", got)
	}
	b.want(&Wanted{Config: Config{Name: "web", LogFile: "true"}})
	say(b, "three\n", "four\n")
	got := texts(back(t, b))
	slices.Sort(got) // they came within a millisecond
	if strings.Join(got, "|") != "web/err/1 four|web/err/1 two|web/out/1 three" {
		t.Errorf("with files of both: %q", got)
	}
}

func TestAChangeOfFilesHoldsAtOnceAndLosesNoLine(t *testing.T) {
	dir := t.TempDir()
	b := bookOf(dir, Config{Name: "web"}, nil)
	var writing sync.WaitGroup
	const writers, lines = 4, 5000
	for n := range writers {
		writing.Go(func() {
			w := b.writer(n%2, "out")
			for i := range lines {
				fmt.Fprintf(w, "%d %d\n", n, i)
			}
		})
	}
	stop := make(chan struct{})
	var changing sync.WaitGroup
	changing.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			c := Config{Name: "web", Cwd: dir, OutFile: fmt.Sprintf("o%d.log", i%3), LogType: []string{"line", "raw", "json"}[i%3]}
			if i%4 == 0 {
				c.MergeLogs = new(bool)
			}
			b.want(&Wanted{Config: c, Slots: []Slot{{ID: 7}, {ID: 8}}})
		}
	})
	writing.Wait()
	close(stop)
	changing.Wait()
	b.want(&Wanted{Config: Config{Name: "web", Cwd: dir, OutFile: "last.log", LogType: "raw"}})
	fmt.Fprintln(b.writer(0, "out"), "at once")
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(dir, "last.log")); got != "at once\n" {
		t.Errorf("after the change: %q", got)
	}
	found := 0
	paths, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, path := range paths {
		found += strings.Count(read(t, path), "\n")
	}
	if found != writers*lines+1 {
		t.Errorf("%d lines of %d", found, writers*lines+1)
	}
	if len(logFilesIn(dir)) > 0 {
		t.Errorf("still in use: %v", logFilesIn(dir))
	}
}

func logFilesIn(dir string) (open []string) {
	logFiles.Lock()
	defer logFiles.Unlock()
	for path := range logFiles.open {
		if strings.HasPrefix(path, dir) {
			open = append(open, path)
		}
	}
	return open
}

func TestAppsShareAFileAndItsRotation(t *testing.T) {
	dir := t.TempDir()
	const lines = 3000 // of 100 bytes, in files of 64 KiB
	var books []*logBook
	var writing sync.WaitGroup
	for n := range 2 {
		b := bookOf(dir, Config{Name: fmt.Sprint("app", n), Cwd: dir, OutFile: "both.log", LogType: "raw", MaxLogSize: minLogSize, MaxLogFiles: 50}, nil)
		b.sinks[streamOut].file.(*logFile).calm = 0 // or the folder is gone before
		books = append(books, b)
	}
	for n, b := range books {
		writing.Go(func() {
			w := b.writer(0, "out")
			for i := range lines {
				fmt.Fprintf(w, "%d %05d %s\n", n, i, strings.Repeat("x", 91))
				if i%100 == 0 {
					b.sync()
				}
			}
		})
	}
	writing.Wait()
	books[0].sync()
	books[1].sync()
	past := []*History{books[0].history(nil), books[1].history(nil)}
	got, err := Tail(past, 10*lines, nil)
	if err != nil {
		t.Fatal(err)
	}
	next := [2]int{}
	for _, l := range got {
		var n, i int
		if _, err := fmt.Sscanf(l.Text, "%d %d x", &n, &i); err != nil || i != next[n] || len(l.Text) != 99 {
			t.Fatalf("%q where %d should be", l.Text, next[n])
		}
		next[n]++
	}
	if next != [2]int{lines, lines} {
		t.Errorf("lines %v", next)
	}
	for i, b := range books {
		past[i].Close()
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}
	eventually(t, "old files are compressed", func() bool {
		old, err := rotated.Files(filepath.Join(dir, "both.log"))
		if err != nil || len(old) < 5 {
			t.Fatalf("%d rotated files, %v", len(old), err)
		}
		return !slices.ContainsFunc(old, func(r rotated.File) bool { return !strings.HasSuffix(r.Path, ".gz") })
	})
}

func TestAFileThatCannotBeWrittenIsToldAndHoldsNothingUp(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "", 0o600)
	var log said
	b := bookOf(dir, Config{Name: "web", Cwd: dir, ErrorFile: "file/no/folder.log"}, slog.New(slog.NewTextHandler(&log, nil)))
	began := time.Now()
	for i := range 20_000 {
		say(b, fmt.Sprintln(i, strings.Repeat("x", 100)), fmt.Sprintln(i, strings.Repeat("x", 100)))
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the app was held up: %v", took)
	}
	eventually(t, "the status says why", func() bool {
		why := b.problem.Load()
		return why != nil && strings.Contains(*why, filepath.Join("file", "no", "folder.log")+": ")
	})
	b.sync()
	if n := len(linesOf(t, filepath.Join(dir, "web-out.log"))); n != 20_000 {
		t.Errorf("%d lines of the other stream", n)
	}
	if n := log.count("cannot write log"); n != 1 {
		t.Errorf("said %d times", n)
	}
	// Another place, and it is well again.
	b.want(&Wanted{Config: Config{Name: "web", Cwd: dir, ErrorFile: "new/folder/e.log"}})
	say(b, "", "well\n")
	b.sync()
	if got := linesOf(t, filepath.Join(dir, "new/folder/e.log")); strings.Join(got, "|") != "1 well" {
		t.Errorf("%q", got)
	}
	if err := b.close(); err == nil || !strings.Contains(err.Error(), "cannot write the last") {
		t.Errorf("the lines that never went anywhere: %v", err)
	}
}

func TestAFileThatCannotBeRotatedGrows(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("n", 250) + ".log" // with a time in it, it is too long
	var log said
	b := bookOf(dir, Config{Name: "web", Cwd: dir, OutFile: name, MaxLogSize: minLogSize}, slog.New(slog.NewTextHandler(&log, nil)))
	for i := range 3000 {
		say(b, fmt.Sprintln(i, strings.Repeat("x", 100)), "")
	}
	b.sync()
	if why := b.problem.Load(); why == nil || !strings.Contains(*why, "cannot rotate it, so it grows") {
		t.Errorf("the status says %v", why)
	}
	if err := b.close(); err != nil {
		t.Error(err)
	}
	if n := len(linesOf(t, filepath.Join(dir, name))); n != 3000 || log.count("something is wrong with a log") != 1 {
		t.Errorf("%d lines, said %d times", n, log.count("something is wrong with a log"))
	}
}

func TestDisabledLogsKeepOnlyTheLastLines(t *testing.T) {
	dir := t.TempDir()
	b := bookOf(dir, Config{Name: "web", DisableLogs: true}, nil)
	_, follow, stop := b.follow()
	defer stop()
	w := b.writer(0, "err")
	for i := range 100 {
		fmt.Fprintln(w, i)
	}
	if got := w.last(2); !slices.Equal(got, []string{"98", "99"}) {
		t.Errorf("last lines %q", got)
	}
	b.close()
	if l, more := <-follow; more {
		t.Errorf("followers see %+v", l)
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("files %v", entries)
	}
}

func TestAFileThatIsNoLongerWantedIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log said
		dir := t.TempDir()
		b := bookOf(dir, Config{Name: "web"}, slog.New(slog.NewTextHandler(&log, nil)))
		b.sinks[streamOut].file = &fakeDisk{room: 0}
		say(b, "lost\n", "")
		synctest.Wait()
		b.want(&Wanted{Config: Config{Name: "web", Cwd: dir, OutFile: "new.log"}})
		time.Sleep(retirePatience / 2)
		if b.problem.Load() == nil {
			t.Error("given up at once")
		}
		time.Sleep(retirePatience)
		if why := b.problem.Load(); why != nil || log.count("could not be written") != 1 {
			t.Errorf("the status still says %v; the log %s", why, log.text.String())
		}
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
}

// A disk that is slower than the app, but works, loses nothing: the app waits.
func TestASlowDiskHoldsTheAppUpAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bookOf(t.TempDir(), Config{Name: "web", LogType: "raw"}, nil)
		disk := &fakeDisk{room: -1, slow: time.Second}
		b.sinks[streamOut].file = disk
		w := b.writer(0, "out")
		began, most := time.Now(), 0
		const lines = 100_000
		for i := range lines {
			fmt.Fprintf(w, "%05d %s\n", i, strings.Repeat("x", 93))
			if i%1000 == 0 {
				b.mu.Lock()
				most = max(most, cap(b.sinks[streamOut].waiting.text))
				b.mu.Unlock()
			}
		}
		if took := time.Since(began); took < 20*time.Second {
			t.Errorf("the app was not held up: %v", took)
		}
		if err := b.close(); err != nil {
			t.Error(err)
		}
		next := 0
		for line := range strings.Lines(disk.text.String()) {
			if line[:5] != fmt.Sprintf("%05d", next) {
				t.Fatalf("%.10q where %d should be", line, next)
			}
			next++
		}
		if next != lines || most > 2*maxWaiting {
			t.Errorf("%d lines, %d bytes waited", next, most)
		}
	})
}

func TestOutputWithoutAnEndTakesNoMemory(t *testing.T) {
	dir := t.TempDir()
	b := bookOf(dir, Config{Name: "web", LogType: "raw", MaxLogSize: unit.Size(64 << 20)}, nil)
	w := b.writer(0, "out")
	part := []byte(strings.Repeat("x", 100_000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 300 { // 30 MB
		w.Write(part)
	}
	runtime.ReadMemStats(&after)
	w.Close()
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 16<<20 {
		t.Errorf("%d MB more", grown>>20)
	}
	got := read(t, filepath.Join(dir, "web-out.log"))
	if n := len(strings.NewReplacer("\n", "", ellipsis, "").Replace(got)); n != 30_000_000 {
		t.Errorf("%d bytes", n)
	}
}

// Whatever is in a file, the last lines are what is read, as they are there.
func FuzzTail(f *testing.F) {
	f.Add("a\nb\n\nc", "raw", 2)
	f.Add("2026-11-23T01:48:48.123Z 0 x\nrest\n", "line", 3)
	f.Add(`{"message":"a\nb","timestamp":"2026-11-23T01:48:48.123Z","type":"out","process_id":8,"app_name":"z"}`+"\n{", "json", 5)
	f.Fuzz(func(t *testing.T, text, kind string, n int) {
		if len(text) > 2000 {
			return
		}
		path := filepath.Join(t.TempDir(), "o.log")
		write(t, path, text, 0o600)
		b := bookOf("", Config{Name: "web", OutFile: path, ErrorFile: "NULL", LogType: kind}, nil)
		defer b.close()
		n = n % 50
		h := b.history(nil)
		defer h.Close()
		lines, err := Tail([]*History{h}, n, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if text == "" {
			want = nil
		}
		want = want[max(0, len(want)-max(0, n)):]
		if n <= 0 {
			want = nil
		}
		if len(lines) != len(want) {
			t.Fatalf("%d lines of %q, want %d", len(lines), text, len(want))
		}
		for i, l := range lines {
			switch {
			case kind == logRaw && l.Text != want[i],
				l.Slot == unknown && l.ID == unknown && kind != logJSON && kind != logRaw && l.Text != want[i] && !strings.HasSuffix(want[i], l.Text),
				l.Time.After(time.Now().Add(time.Minute)) && kind == logRaw:
				t.Fatalf("%+v, want %q", l, want[i])
			}
		}
	})
}

// What is written in any form is read back: the text (valid UTF-8 in JSON), the stream, the time and whose it is.
func FuzzFormats(f *testing.F) {
	f.Add("text", "YYYY-MM-DD", true)
	f.Add("\x00\xff\"\\ \u2028", "[", false)
	f.Fuzz(func(t *testing.T, text, date string, err bool) {
		if strings.ContainsAny(text+date, "\r\n") {
			return
		}
		from := origin{slot: 1, id: 8}
		if err {
			from.stream = streamErr
		}
		at := time.UnixMilli(1_795_399_728_123)
		for _, c := range []Config{{LogType: "line"}, {LogType: "raw"}, {LogType: "json"}, {LogType: "json", LogDateFormat: date}, {LogDateFormat: date}} {
			format := logLayout{}.format(&c)
			for _, both := range []bool{false, true} {
				format.both = both
				before, after := format.frame(at, from)
				line := append(format.appendText(slices.Clone(before), []byte(text)), after...)
				if strings.Count(string(line), "\n") != 1 {
					t.Fatalf("%q is more than a line", line)
				}
				got := Line{ID: unknown, Slot: unknown, Stream: streamNames[from.stream]}
				if !format.parse(line[:len(line)-1], &got) {
					t.Fatalf("%s: %q is not read", c.LogType, line)
				}
				want := text
				switch format.kind {
				case logJSON:
					want = string([]rune(text)) // each bad byte is U+FFFD
				case logRaw:
					want = format.shown(before, []byte(text))
				}
				if got.Text != want || got.Stream != streamNames[from.stream] {
					t.Fatalf("%s: %q is read as %+v", c.LogType, line, got)
				}
			}
		}
	})
}
