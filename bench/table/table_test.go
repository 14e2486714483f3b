package main

import (
	"bytes"
	"strings"
	"testing"
)

const seen = `1 KB file	Roost	8.00	100000	1.000	2.000	3.000	20.0
1 KB file	nginx	10.00	90000	1.000	1.000	3.000	10.0
1 KB file	Roost	7.00	120000	1.500	2.000	3.000	20.0
1 KB file	nginx	11.00	90000	1.000	1.000	3.000	10.0
1 KB file	Roost	9.00	1234567	1.200	2.000	3.000	20.0
1 KB file	nginx	10.00	90000	1.000	1.000	3.000	10.0
Go app	Roost	20.00	50000	1.000	2.000	3.000	20.0
`

func TestTheTableHasMediansAndRatios(t *testing.T) {
	t.Parallel()
	cells, err := readCells(seen)
	if err != nil {
		t.Fatal(err)
	}
	var text, markdown bytes.Buffer
	asText(&text, measured(cells))
	asMarkdown(&markdown, measured(cells))
	if want := `                  CPU, µs  a second  p50, ms  p99, ms  p99.9, ms    MB
1 KB file  Roost      8.0   120,000     1.20     2.00       3.00  20.0
           nginx     10.0    90,000     1.00     1.00       3.00  10.0
Go app     Roost     20.0    50,000     1.00     2.00       3.00  20.0
`; text.String() != want {
		t.Errorf("got\n%swant\n%s", &text, want)
	}
	if want := `|  |  | CPU, µs | a second | p50, ms | p99, ms | p99.9, ms | MB |
|---|---|---|---|---|---|---|---|
| 1 KB file | Roost | 8.0 | 120,000 | 1.20 | 2.00 | 3.00 | 20.0 |
`; !strings.HasPrefix(markdown.String(), want) {
		t.Errorf("got\n%swant\n%s", &markdown, want)
	}

	wanted, err := readWanted(`cpu	<0.80	1	1 KB file	Roost	1 KB file	nginx
less	<0.75	1	1 KB file	Roost	1 KB file	nginx
rate	>1.00	2	1 KB file	Roost	1 KB file	nginx
more	>1.50	2	1 KB file	Roost	1 KB file	nginx
p99	<1.00	4	1 KB file	Roost	1 KB file	nginx
unmeasured	<1.00	4	Go app	Roost	Go app	nginx`)
	if err != nil {
		t.Fatal(err)
	}
	text.Reset()
	asText(&text, compared(wanted, cells))
	if want := `ratio  wanted         seen
cpu    at most 0.80   0.80             met
less   at most 0.75   0.80  missed by 0.05
rate   at least 1.00  1.33             met
more   at least 1.50  1.33  missed by 0.17
p99    at most 1.00   2.00  missed by 1.00
`; text.String() != want {
		t.Errorf("got\n%swant\n%s", &text, want)
	}
}

func TestWhatCannotBeReadIsRefusedWithItsLine(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a\tb\t1", strings.Replace(seen, "8.00", "eight", 1)} {
		if _, err := readCells(text); err == nil || !strings.HasPrefix(err.Error(), "line 1") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "a\t0.8\t1\tr\ts\tr\ts", "a\t<x\t1\tr\ts\tr\ts", "a\t<1\t0\tr\ts\tr\ts", "a\t<1\t7\tr\ts\tr\ts", "a\t<1\t1\tr\ts\tr"} {
		if _, err := readWanted(text); err == nil || !strings.HasPrefix(err.Error(), "line 1") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMedianAndThousands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(c.of); got != c.want {
			t.Errorf("%v: %v, want %v", c.of, got, c.want)
		}
	}
	for number, want := range map[string]string{"1": "1", "999": "999", "1000": "1,000", "1234567": "1,234,567", "12345.6": "12,345.6"} {
		if got := thousands(number); got != want {
			t.Errorf("%s: %s, want %s", number, got, want)
		}
	}
}
