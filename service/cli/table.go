package cli

import (
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// table is aligned columns of text, two spaces apart, nothing drawn around
// them: easy for the eye, for cut and for awk.
type table struct {
	head  []string
	right map[int]bool // columns of numbers
	rows  [][]cell
}

// cell is one field; style is an SGR parameter or empty.
type cell struct{ text, style string }

func newTable(head ...string) *table { return &table{head: head, right: map[int]bool{}} }

// numbers aligns the columns to the right.
func (t *table) numbers(columns ...int) *table {
	for _, c := range columns {
		t.right[c] = true
	}
	return t
}

func (t *table) add(fields ...cell) { t.rows = append(t.rows, fields) }

// write prints the table, without columns that are empty in every row; paint
// colours a field, after it has been measured.
func (t *table) write(w io.Writer, paint func(style, text string) string) error {
	rows := t.rows
	used := map[int]bool{}
	for _, row := range rows {
		for i, f := range row {
			used[i] = used[i] || f.text != ""
		}
	}
	if len(t.head) > 0 {
		head := make([]cell, len(t.head))
		for i, h := range t.head {
			head[i] = cell{h, styleFaint}
		}
		rows = append([][]cell{head}, rows...)
	}
	widths := []int{}
	for _, row := range rows {
		for i, f := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(f.text))
		}
	}
	var all strings.Builder
	for _, row := range rows {
		var b strings.Builder
		for i, f := range row {
			if !used[i] {
				continue
			}
			gap := strings.Repeat(" ", widths[i]-ansi.StringWidth(f.text))
			if b.Len() > 0 {
				b.WriteString("  ")
			}
			switch {
			case t.right[i]:
				b.WriteString(gap + paint(f.style, f.text))
			case i == len(row)-1:
				b.WriteString(paint(f.style, f.text))
			default:
				b.WriteString(paint(f.style, f.text) + gap)
			}
		}
		all.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, all.String())
	return err
}
