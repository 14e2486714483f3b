package apps

import (
	"fmt"
	"strings"
	"testing"
)

func TestAProgramsNameDoesNotConfuseTheProcessTable(t *testing.T) {
	const rest = "S 10 20 30 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 900 1000000 42 18446744073709551615 1 1 0"
	for _, name := range []string{"node", "a b", ") S 1 1 1", "((", "a) (b", "\n", ""} {
		p, ok := parseStat(fmt.Appendf(nil, "123 (%s) %s\n", name, rest), 4096)
		want := process{pid: 123, parent: 10, group: 20, session: 30, spent: 26 * tick, born: 900, resident: 42 * 4096}
		if !ok || p != want {
			t.Errorf("%q: %+v, %v", name, p, ok)
		}
	}
	for _, line := range []string{"", "123", "123 (a)", "123 (a) S 1 2", "x (a) " + rest, ")(", "(a) " + rest, "123 (a) " + strings.Replace(rest, "900", "x", 1)} {
		if p, ok := parseStat([]byte(line), 4096); ok {
			t.Errorf("%q: %+v", line, p)
		}
	}
}
