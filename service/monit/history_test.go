package monit

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"roost/apps"
	"roost/service/control"
)

func TestASparkIsDrawnAgainstItsLargestFigure(t *testing.T) {
	var h history
	for _, v := range []float64{0, 1, 2, 4} {
		h = h.with(v)
	}
	if got := h.spark(6, 1); got != "  ▁▃▅█" {
		t.Errorf("spark %q", got)
	}
	if got := h.spark(2, 100); got != "▁▁" {
		t.Errorf("spark %q", got)
	}
	for range 3 * span {
		h = h.with(1)
	}
	if len(h) != span {
		t.Errorf("%d figures are kept, want %d", len(h), span)
	}
}

func TestAnAppStandsAsItsWorstInstance(t *testing.T) {
	rows := rowsOf([]control.App{{Status: apps.Status{Name: "web", Instances: []apps.Instance{
		{ID: 0, State: apps.StateReady, CPU: 1, Memory: 10}, {ID: 1, Slot: 1, State: apps.StateBackoff, CPU: 2, Memory: 20},
	}}}})
	if len(rows) != 3 || rows[0].state != apps.StateBackoff || rows[0].cpu != 3 || rows[0].memory != 30 {
		t.Errorf("rows %+v", rows)
	}
	if n := find(rows, "web\n1 0", "web", 0); n != 2 {
		t.Errorf("the chosen instance is found at %d, want 2", n)
	}
	if n := find(rows[:1], "web\n1 0", "web", 2); n != 0 {
		t.Errorf("an instance that is gone is taken for %d, want its app", n)
	}
}

func FuzzTextOfAnAppIsOneLineOfVisibleCells(f *testing.F) {
	for _, s := range []string{"a\tb", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07x", "日本", "a\x00b\r\n", "\xff"} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		width = max(min(width, 500), 0)
		got := fit(plain(s), width)
		if strings.ContainsAny(got, "\n\r\t\x1b\x00") || ansi.StringWidth(got) != width {
			t.Errorf("fit(%q, %d) = %q, %d cells wide", s, width, got, ansi.StringWidth(got))
		}
	})
}
