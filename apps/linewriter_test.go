package apps

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// collect makes a writer whose lines go nowhere but into the result of the function.
func collect(t testing.TB) (*lineWriter, func() []string) {
	b := testBook(t.TempDir(), "app", 0, 0, nil)
	b.started = true // nobody writes them
	return b.writer(0, "out"), func() []string {
		text := strings.TrimSuffix(string(b.sinks[streamOut].waiting.text), "\n")
		if text == "" {
			return nil
		}
		lines := strings.Split(text, "\n")
		for i, l := range lines {
			_, slot, rest, ok := parseLine([]byte(l))
			if !ok || slot != 0 {
				t.Errorf("%q is no line", l)
			}
			lines[i] = string(rest)
		}
		return lines
	}
}

func TestOutputIsCutIntoLines(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	umlauts := strings.Repeat("ü", maxLine) // two bytes each
	for _, c := range []struct {
		name   string
		writes []string
		want   []string
	}{
		{"one", []string{"a\n"}, []string{"a"}},
		{"several at once", []string{"a\nb\n\nc\n"}, []string{"a", "b", "", "c"}},
		{"parts", []string{"a", "b", "c\nd", "\n"}, []string{"abc", "d"}},
		{"CRLF", []string{"a\r\nb\r", "\nc\rd\n"}, []string{"a", "b", "c\rd"}},
		{"no end", []string{"a\nb"}, []string{"a", "b"}},
		{"no end, CR", []string{"b\r"}, []string{"b"}},
		{"nothing", []string{"", ""}, nil},
		{"longest", []string{long + "\n"}, []string{long}},
		{"too long", []string{long + "y\n"}, []string{long[:maxLine-3] + "…", "xxxy"}},
		{"too long in parts", []string{long[:maxLine-1], "yz", "\nend\n"}, []string{long[:maxLine-3] + "…", "xxyz", "end"}},
		{"much too long", []string{long + long + "\n"}, []string{long[:maxLine-3] + "…", long[:maxLine-3] + "…", "xxxxxx"}},
		{"between bytes of a letter", []string{"a" + umlauts[:maxLine] + "\n"}, []string{"a" + umlauts[:maxLine-4] + "…", "üü"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, lines := collect(t)
			for _, p := range c.writes {
				if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
					t.Errorf("%d, %v", n, err)
				}
			}
			w.Close()
			w.Close()
			if got := lines(); !slices.Equal(got, c.want) {
				t.Errorf("%d lines, want %d: %.100q", len(got), len(c.want), got)
			}
		})
	}
}

func TestTheLastLinesAreKept(t *testing.T) {
	w, _ := collect(t)
	if got := w.last(5); len(got) != 0 {
		t.Errorf("%q", got)
	}
	for i := range 120 {
		fmt.Fprintln(w, i)
	}
	if got := w.last(3); !slices.Equal(got, []string{"117", "118", "119"}) {
		t.Errorf("%q", got)
	}
	if got := w.last(1000); len(got) != keptLines || got[0] != "70" {
		t.Errorf("%d lines from %q", len(got), got[0])
	}
	fmt.Fprintln(w, strings.Repeat("x", 10<<10))
	if got := w.last(1); len(got[0]) != keptLength {
		t.Errorf("%d bytes", len(got[0]))
	}
}

// Whatever comes, in whatever parts: nothing is lost and no line is too long.
func FuzzLineWriter(f *testing.F) {
	f.Add("a\nb\r\nc", 2)
	f.Add(strings.Repeat("é", 30)+"\n\n\r\n", 10)
	f.Add(strings.Repeat("\xff\x80", 30), 7)
	f.Fuzz(func(t *testing.T, text string, step int) {
		if len(text) > 1000 {
			return // more is more of the same, and minimizing it takes minutes
		}
		b := testBook("", "app", 0, 0, nil)
		b.started = true
		w := b.writer(0, "out")
		w.limit = 20
		step = max(1, step%50)
		for p := text; p != ""; {
			n := min(step, len(p))
			w.Write([]byte(p[:n]))
			p = p[n:]
		}
		w.Close()
		var joined strings.Builder
		for raw := range strings.Lines(string(b.sinks[streamOut].waiting.text)) {
			_, _, line, ok := parseLine([]byte(strings.TrimSuffix(raw, "\n")))
			if !ok || len(line) > w.limit {
				t.Fatalf("%q is no line", raw)
			}
			if utf8.ValidString(text) && !utf8.Valid(line) {
				t.Fatalf("a letter is cut: %q", line)
			}
			joined.WriteString(strings.TrimSuffix(string(line), "…"))
		}
		strip := strings.NewReplacer("\n", "", "\r", "", "…", "").Replace
		if strip(joined.String()) != strip(text) {
			t.Fatalf("%q becomes %q", text, joined.String())
		}
	})
}

func BenchmarkLineWriter(b *testing.B) {
	book := testBook(b.TempDir(), "app", 1<<40, 0, nil)
	defer book.close()
	w := book.writer(0, "out")
	text := []byte(strings.Repeat("x", 100) + "\n")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		w.Write(text)
	}
}
