package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// wanted is a ratio that figures are to have.
type wanted struct {
	what   string
	most   bool // or least
	limit  float64
	column int
	row    [2]string
	server [2]string
}

func readWanted(text string) (all []wanted, err error) {
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 7 || f[1] == "" || !strings.Contains("<>", f[1][:1]) {
			return nil, fmt.Errorf("line %d: want a name, < or > and a limit, a number, and twice a row and a server: %q", i+1, line)
		}
		w := wanted{what: f[0], most: f[1][0] == '<', row: [2]string{f[3], f[5]}, server: [2]string{f[4], f[6]}}
		if w.limit, err = strconv.ParseFloat(f[1][1:], 64); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if w.column, err = strconv.Atoi(f[2]); err != nil || w.column < 1 || w.column > len(columns) {
			return nil, fmt.Errorf("line %d: no figure %q", i+1, f[2])
		}
		all = append(all, w)
	}
	return all, nil
}

// compared is the table of what is wanted, its titles first.
func compared(all []wanted, cells []*cell) [][]string {
	lines := [][]string{{"ratio", "wanted", "seen", ""}}
	for _, w := range all {
		a, b := find(cells, w.row[0], w.server[0]), find(cells, w.row[1], w.server[1])
		if a == nil || b == nil {
			continue
		}
		word := "at most"
		if !w.most {
			word = "at least"
		}
		ratio := median(a.turns[w.column-1]) / median(b.turns[w.column-1])
		lines = append(lines, []string{w.what, fmt.Sprintf("%s %.2f", word, w.limit), fmt.Sprintf("%.2f", ratio), verdict(w, ratio)})
	}
	return lines
}

// verdict says whether a ratio is as wanted, as it is printed: to the hundredth.
func verdict(w wanted, ratio float64) string {
	over := math.Round(ratio*100)/100 - w.limit
	if !w.most {
		over = -over
	}
	if math.IsNaN(over) {
		return "not measured"
	}
	if over < 0.005 {
		return "met"
	}
	return fmt.Sprintf("missed by %.2f", over)
}
