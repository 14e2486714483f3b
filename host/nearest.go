package host

import (
	"fmt"

	"roost/internal/nearest"
)

// didYouMean is a hint naming the candidate that was probably meant, or empty.
func didYouMean(written string, candidates []string) string {
	best := nearest.Of(written, candidates)
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}
