package main

import (
	"io"
	"strings"
	"unicode/utf8"
)

// asMarkdown writes a table, its titles first, as Markdown.
func asMarkdown(out io.Writer, lines [][]string) {
	for i, line := range lines {
		io.WriteString(out, "| "+strings.Join(line, " | ")+" |\n")
		if i == 0 {
			io.WriteString(out, "|"+strings.Repeat("---|", len(line))+"\n")
		}
	}
}

// asText writes a table in columns: the first two to the left, if the second is words, numbers to the right.
func asText(out io.Writer, lines [][]string) {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, text := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for _, line := range lines {
		var text strings.Builder
		for i, field := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(field))
			if i < 2 {
				text.WriteString(field + pad + "  ")
			} else {
				text.WriteString(pad + field + "  ")
			}
		}
		io.WriteString(out, strings.TrimRight(text.String(), " ")+"\n")
	}
}
