//go:build unix

package node

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"roost/internal/testcache"
)

// core are the tests of the hook that hold in every version of Node.
const core = "Unmodified|DeclaredPort|HTTPSServer|TakenPort|NoTrace|OwnCluster|ClosedServer|Retiring|IsDone|" +
	"MessagesPass|BehindASocket|WrittenForACluster|AWorker|Launcher|EveryWayToListen"

func TestTheHookWorksInEveryVersionOfNode(t *testing.T) {
	for _, version := range testcache.Versions {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			bin := t.TempDir()
			if err := os.Symlink(testcache.Node(t, version), filepath.Join(bin, "node")); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^Test.*("+core+")", "-test.timeout=2m")
			cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
