package static

import (
	"os"
	"testing"

	"roost/internal/httplint"
)

// TestMain has every answer checked. Targets that net/http refuses never reach
// a Folder here; a host has them refused by its guard.
func TestMain(m *testing.M) { os.Exit(httplint.Run(m, httplint.Unguarded)) }
