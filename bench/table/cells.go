package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// columns are the figures of a cell, in the order of load's output.
var columns = []struct {
	title  string
	digits int
}{{"CPU, µs", 1}, {"a second", 0}, {"p50, ms", 2}, {"p99, ms", 2}, {"p99.9, ms", 2}, {"MB", 1}}

// cell is what was measured of one server in one row.
type cell struct {
	row, server string
	turns       [][]float64 // of each column
}

func readCells(text string) (cells []*cell, err error) {
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		fields := strings.Split(line, "\t")
		if len(fields) != 2+len(columns) {
			return nil, fmt.Errorf("line %d has %d fields, not %d", i+1, len(fields), 2+len(columns))
		}
		c := find(cells, fields[0], fields[1])
		if c == nil {
			c = &cell{row: fields[0], server: fields[1], turns: make([][]float64, len(columns))}
			cells = append(cells, c)
		}
		for k, field := range fields[2:] {
			figure, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			c.turns[k] = append(c.turns[k], figure)
		}
	}
	return cells, nil
}

func find(cells []*cell, row, server string) *cell {
	for _, c := range cells {
		if c.row == row && c.server == server {
			return c
		}
	}
	return nil
}

// measured is the table of the medians, its titles first. A row's name stands in its first line only.
func measured(cells []*cell) [][]string {
	titles := []string{"", ""}
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	lines, last := [][]string{titles}, ""
	for _, c := range cells {
		line := []string{c.row, c.server}
		if c.row == last {
			line[0] = ""
		}
		last = c.row
		for k, turns := range c.turns {
			line = append(line, thousands(strconv.FormatFloat(median(turns), 'f', columns[k].digits, 64)))
		}
		lines = append(lines, line)
	}
	return lines
}

// median returns the middle of figures, the mean of the two that are when their number is even.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// thousands puts commas into the whole part of a number.
func thousands(number string) string {
	whole, part, _ := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if part != "" {
		whole += "." + part
	}
	return whole
}
