package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version is the program's version; -ldflags "-X roost/service/cli.Version=…"
// sets it, else it is that of the module.
var Version = ""

// build says which program this is; `roost version --json` prints it.
type build struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"`     // of the commit
	Modified bool   `json:"modified,omitempty"` // built from a tree with changes
}

func readBuild() build {
	b := build{Version: Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.time":
				b.Time = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			}
		}
		if b.Version == "" && info.Main.Version != "(devel)" {
			b.Version = info.Main.Version
		}
	}
	if b.Version == "" {
		b.Version = "devel"
	}
	return b
}

// versionLine is such as "roost v0.1.0 (go1.26.8 linux/amd64, commit 0123456789ab)".
func versionLine() string {
	b := readBuild()
	commit := ""
	if len(b.Commit) >= 12 {
		commit = ", commit " + b.Commit[:12]
	}
	if b.Modified {
		commit += " with changes"
	}
	return fmt.Sprintf("roost %s (%s %s/%s%s)", b.Version, b.Go, b.OS, b.Arch, commit)
}

func newVersion(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "print the version of this program",
		Example: "  roost version --json",
		Args:    need(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return c.json(readBuild())
			}
			c.printf("%s", versionLine())
			return nil
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
