package host

import "fmt"

// didYouMean is a hint naming the candidate nearest to what was written, or
// empty when none is near enough to be a slip of the hand.
func didYouMean(written string, candidates []string) string {
	best, least := "", 1+len(written)/3 // one slip for each three letters, at least one
	for _, c := range candidates {
		if d := distance(written, c); d <= least && d < len(c) {
			best, least = c, d-1 // the first of equals wins
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// distance is the number of letters to insert, drop, change or swap with
// their neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	const most = 64 // names are short; a long one is nobody's slip
	if len(a) > most || len(b) > most {
		return most
	}
	var rows [3][most + 1]int
	before, last, now := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}
