package node

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"roost/internal/durable"
)

//go:embed hook.cjs
var hook []byte

// WriteHook writes the preload file into the folder dir, if it is not there as
// it should be, and returns its path. Its name tells its content: instances of
// an older program go on with the file that they began with (worker threads
// load it again).
func WriteHook(dir string) (string, error) {
	sum := sha256.Sum256(hook)
	path := filepath.Join(dir, "hook-"+hex.EncodeToString(sum[:4])+".cjs")
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, hook) {
		return path, nil
	}
	// readable by all: an app may run as another user
	if err := durable.WriteFile(path, hook, 0o644); err != nil {
		return "", err
	}
	return path, nil
}

// Hosting is what an instance is told about its place.
type Hosting struct {
	Hook    string // the path of the preload file
	Channel int    // the number of the channel's file descriptor in the instance
	Lane    int    // the number of the private socket's
	Port    int    // the port that the app declares; 0: the first that listens is its main server
}

// Environ adds to env, a list of KEY=value, what makes Node load the hook and
// open the channel. The instance's own NODE_OPTIONS stay in force, and are what
// its child processes see.
func (h Hosting) Environ(env []string) []string {
	given := struct {
		Lane        int     `json:"lane"`
		Port        int     `json:"port,omitempty"`
		NodeOptions *string `json:"nodeOptions,omitempty"`
	}{h.Lane, h.Port, nil}
	options := "--require " + quote(h.Hook)
	env = slices.Clone(env)
	env = slices.DeleteFunc(env, func(kv string) bool {
		theirs, found := strings.CutPrefix(kv, "NODE_OPTIONS=")
		if found {
			given.NodeOptions = &theirs
		}
		return found
	})
	if given.NodeOptions != nil && *given.NodeOptions != "" {
		options += " " + *given.NodeOptions
	}
	told, err := json.Marshal(given)
	if err != nil {
		panic(fmt.Sprint("cannot encode numbers and a string: ", err))
	}
	return append(env,
		"NODE_OPTIONS="+options,
		"NODE_CHANNEL_FD="+strconv.Itoa(h.Channel),
		"NODE_CHANNEL_SERIALIZATION_MODE=json",
		"ROOST_NODE="+string(told))
}

// quote writes s as one word of NODE_OPTIONS, where double quotes hold spaces
// and a backslash takes the next character as it is.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
