package node

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"roost/internal/durable"
)

var (
	//go:embed hook.cjs
	hook []byte
	//go:embed cluster.cjs
	cluster []byte
)

// WriteHook writes the preload file, and the one that it loads in workers of a
// cluster, into the folder dir, if they are not there as they should be, and
// returns its path. Their names tell their content: instances of an older
// program go on with the files that they began with (worker threads load them
// again).
func WriteHook(dir string) (string, error) {
	sum := sha256.Sum256(slices.Concat(hook, cluster))
	base := filepath.Join(dir, "hook-"+hex.EncodeToString(sum[:4]))
	for _, file := range []struct {
		path string
		text []byte
	}{{base + "-cluster.cjs", cluster}, {base + ".cjs", hook}} {
		if have, err := os.ReadFile(file.path); err == nil && bytes.Equal(have, file.text) {
			continue
		}
		// readable by all: an app may run as another user
		if err := durable.WriteFile(file.path, file.text, 0o644); err != nil {
			return "", err
		}
	}
	return base + ".cjs", nil
}

// Hosting is what an instance is told about its place.
type Hosting struct {
	Hook    string // the path of the preload file
	Channel int    // the number of the channel's file descriptor in the instance
	Lane    int    // the number of the private socket's
	Port    int    // the port that the app declares; 0: the first that listens is its main server
	Worker  int    // its number as a worker to Node's cluster module, from 1; 0: it is none
	// Claim, when not 0, says that the program only launches the instance:
	// Channel and Lane are those of the process below it that is the first to
	// read the file of this number (NewClaim). All three must lie beyond the first
	// gap after 15, where launchers keep file descriptors open for what they
	// start (Inherited).
	Claim int
}

// Inherited is a number from which on file descriptors pass Node programs that
// start others, when those from 16 up to it are closed: Node keeps the first
// sixteen, and those that follow without a gap, from what it starts
// (uv_disable_stdio_inheritance).
const Inherited = 20

// NewClaim makes the file by which the processes below a launcher settle which
// of them is the instance. It has no name, and ends with those who hold it.
func NewClaim(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "claim-")
	if err != nil {
		return nil, fmt.Errorf("cannot make a file for what the launcher starts: %w", err)
	}
	_, err = f.WriteAt(bytes.Repeat([]byte{' '}, 16), 0) // room for the number of a process
	if err := cmp.Or(os.Remove(f.Name()), err); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot make a file for what the launcher starts: %w", err)
	}
	return f, nil
}

// launchers are the programs that only start others, as far as they are known,
// by the names of their scripts.
const launchers = `^(npm|npx|pnpm|pnpx|yarn|yarnpkg|yarn-[0-9.]+|corepack|cross-env|cross-env-shell|dotenv|env-cmd)(-cli)?$`

var isLauncher = regexp.MustCompile(launchers).MatchString

// Launches reports whether a Node program of that path only starts others.
func Launches(path string) bool {
	base := filepath.Base(path)
	return isLauncher(strings.TrimSuffix(base, filepath.Ext(base)))
}

// Environ adds to env, a list of KEY=value, what makes Node load the hook and
// open the channel. The instance's own NODE_OPTIONS stay in force, and are what
// its child processes see.
func (h Hosting) Environ(env []string) []string {
	given := struct {
		Lane        int     `json:"lane"`
		Port        int     `json:"port,omitempty"`
		Clustered   bool    `json:"clustered,omitempty"`
		NodeOptions *string `json:"nodeOptions,omitempty"`
		Channel     int     `json:"channel,omitempty"`
		Claim       int     `json:"claim,omitempty"`
		Launchers   string  `json:"launchers,omitempty"`
	}{Lane: h.Lane, Port: h.Port, Clustered: h.Worker > 0 && h.Claim == 0}
	if h.Claim != 0 {
		given.Channel, given.Claim, given.Launchers = h.Channel, h.Claim, launchers
	}
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
	env = append(env, "NODE_OPTIONS="+options, "ROOST_NODE="+string(told))
	if h.Claim != 0 {
		return env
	}
	if given.Clustered {
		env = append(env, "NODE_UNIQUE_ID="+strconv.Itoa(h.Worker))
	}
	return append(env, "NODE_CHANNEL_FD="+strconv.Itoa(h.Channel), "NODE_CHANNEL_SERIALIZATION_MODE=json")
}

// quote writes s as one word of NODE_OPTIONS, where double quotes hold spaces
// and a backslash takes the next character as it is.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
