package pm2

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// grid is a table in a frame, as PM2 draws it:
//
//	┌────┬───────┐
//	│ id │ name  │
//	├────┼───────┤
//	│ 0  │ web   │
//	└────┴───────┘
type grid struct {
	widths []int // of the columns with a blank on both sides; 0: what the longest cell needs
	head   []string
	rows   [][]field
}

// field is one cell.
type field struct {
	text   string
	styles []style
}

func (g *grid) add(fields ...field) { g.rows = append(g.rows, fields) }

// print draws the grid, with a frame in grey where colours are on.
func (c *console) grid(g *grid) {
	widths := append([]int(nil), g.widths...)
	for _, row := range g.rows {
		for i, f := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if i >= len(g.widths) || g.widths[i] == 0 {
				widths[i] = max(widths[i], ansi.StringWidth(f.text)+2)
			}
		}
	}
	frame := func(left, middle, right string) {
		parts := make([]string, len(widths))
		for i, w := range widths {
			parts[i] = strings.Repeat("─", w)
		}
		c.print("%s", c.paint(left+strings.Join(parts, middle)+right, grey))
	}
	line := func(row []field) {
		var b strings.Builder
		bar := c.paint("│", grey)
		for i, f := range row {
			text := cut(f.text, widths[i]-2)
			b.WriteString(bar + " " + c.paint(text, f.styles...) + strings.Repeat(" ", widths[i]-1-ansi.StringWidth(text)))
		}
		c.print("%s", b.String()+bar)
	}
	frame("┌", "┬", "┐")
	if g.head != nil {
		head := make([]field, len(g.head))
		for i, h := range g.head {
			head[i] = field{h, []style{cyan, bold}}
		}
		line(head)
		if len(g.rows) > 0 {
			frame("├", "┼", "┤")
		}
	}
	for _, row := range g.rows {
		line(row)
	}
	frame("└", "┴", "┘")
}

// cut shortens a text to n cells.
func cut(s string, n int) string {
	return ansi.Truncate(s, n, "…")
}
