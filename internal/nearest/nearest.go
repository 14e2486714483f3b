// Package nearest finds what somebody has probably meant.
package nearest

import "strings"

// Of is the name that word is probably a slip of the hand for: at most one
// slip for each three letters, whatever their case. The first of equals wins;
// it is empty when none is near.
func Of(word string, names []string) string {
	best, least := "", 1+len(word)/3
	word = strings.ToLower(word)
	for _, name := range names {
		if d := distance(word, strings.ToLower(name)); d <= least && d < len(name) {
			best, least = name, d-1
		}
	}
	return best
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
