package cli

import (
	"strings"
	"testing"
	"time"
)

func plain(_, text string) string { return text }

func TestTableAlignsColumnsAndLeavesOutEmptyOnes(t *testing.T) {
	table := newTable("name", "", "pid", "nothing", "state").numbers(2)
	table.add(cell{"web", ""}, cell{"", ""}, cell{"7", ""}, cell{"", ""}, cell{"ready", ""})
	table.add(cell{"naïve-app", ""}, cell{"", ""}, cell{"12345", ""})
	var b strings.Builder
	if err := table.write(&b, plain); err != nil {
		t.Fatal(err)
	}
	want := "name         pid  state\n" +
		"web            7  ready\n" +
		"naïve-app  12345\n"
	if b.String() != want {
		t.Errorf("table:\n%s\nwant:\n%s", b.String(), want)
	}
}

func TestColoursDoNotShiftColumns(t *testing.T) {
	c := &console{colour: true}
	table := newTable()
	table.add(cell{"a", styleGood}, cell{"x", ""})
	table.add(cell{"bbb", styleBad}, cell{"y", ""})
	var b strings.Builder
	if err := table.write(&b, c.paint); err != nil {
		t.Fatal(err)
	}
	if want := "\x1b[32ma\x1b[0m    x\n\x1b[31mbbb\x1b[0m  y\n"; b.String() != want {
		t.Errorf("table: %q, want %q", b.String(), want)
	}
}

func TestFiguresAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 59*time.Second + 999*time.Millisecond: "59s", 133 * time.Second: "2m13s",
		5*time.Hour + 2*time.Minute: "5h2m", 76 * time.Hour: "3d4h",
	} {
		if got := length(d); got != want {
			t.Errorf("length(%v) = %s, want %s", d, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KB", 22124953: "21.1 MB", 512 << 20: "512 MB", 3 << 40: "3.0 TB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
	for f, want := range map[float64]string{0: "0", 0.25: "0.2", 9.94: "9.9", 1234.4: "1234"} {
		if got := rate(f); got != want {
			t.Errorf("rate(%v) = %s, want %s", f, got, want)
		}
	}
}
