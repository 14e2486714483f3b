package cli

import (
	"strings"
	"testing"
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
