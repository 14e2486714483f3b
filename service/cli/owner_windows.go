package cli

import (
	"os/exec"
	"os/user"
)

// owner is nil here: everybody moves their own.
func owner(string) *user.User { return nil }

func as(*exec.Cmd, *user.User) {}
