package apps

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// An instance's environment is, each over the ones before:
//
//  1. of the daemon: what a program needs to find its way (passed)
//  2. Environ, the shell that started the app, when one did, without what filter_env drops
//  3. HOME, USER and LOGNAME of the app's user, when it has its own
//  4. in PM2's layout: what PM2 tells an app of itself (pm2env.go)
//  5. the files of env_file, in their order
//  6. Env, as declared, with increment_var grown by the slot's number
//  7. what says which instance this is, and where it listens
//
// What the daemon, or that shell, got from those that started them and that
// concerns only them (private) never passes.

var passed = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"}

// passedWindows are without which programs do not start, or not well.
var passedWindows = []string{"PATH", "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "TEMP", "TMP", "USERPROFILE", "USERNAME",
	"HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "COMMONPROGRAMFILES",
	"NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "OS"}

func passes(key string) bool {
	if runtime.GOOS == "windows" {
		return slices.Contains(passedWindows, strings.ToUpper(key))
	}
	return slices.Contains(passed, key) || strings.HasPrefix(key, "LC_")
}

var (
	private         = []string{"NOTIFY_SOCKET", "NODE_APP_INSTANCE", "NODE_UNIQUE_ID", "INVOCATION_ID", "JOURNAL_STREAM"}
	privatePrefixes = []string{"LISTEN_", "WATCHDOG_", "ROOST_", "NODE_CHANNEL_"}
)

func isPrivate(key string) bool {
	return slices.Contains(private, key) ||
		slices.ContainsFunc(privatePrefixes, func(p string) bool { return strings.HasPrefix(key, p) })
}

// layer is a part of an environment.
type layer struct {
	source string // "daemon", "shell", "user", a file of variables, or "env"
	vars   map[string]string
}

// layers is the environment of w's instances, but for what differs among them,
// the lowest layer first. daemon is a list like os.Environ, who the app's user.
// Errors are Complaints; what could be read is there all the same.
func layers(daemon []string, w *Wanted, who *account) ([]layer, error) {
	passed := map[string]string{}
	for _, kv := range daemon {
		if key, value, ok := strings.Cut(kv, "="); ok && passes(key) {
			passed[key] = value
		}
	}
	shell := map[string]string{}
	for key, value := range w.Environ {
		if !isPrivate(key) && !w.FilterEnv.Drops(key) {
			shell[key] = value
		}
	}
	files, err := envFiles(&w.Config)
	all := append([]layer{{"daemon", passed}, {"shell", shell}, {"user", who.environ()}}, files...)
	return append(all, layer{"env", w.Env}), err
}

// join is all variables of layers, the later over the earlier.
func join(layers []layer) map[string]string {
	env := map[string]string{}
	for _, l := range layers {
		maps.Copy(env, l.vars)
	}
	return env
}

// declared is what the app's declaration says of its environment.
func declared(all []layer) map[string]string {
	return join(all[slices.IndexFunc(all, func(l layer) bool { return l.source == "user" })+1:])
}

// increment is what the variable that grows by the slot's number is for this
// one. own is what the app declares.
func increment(own map[string]string, name string, slot int) (string, error) {
	first, err := strconv.Atoi(own[name])
	if err != nil {
		return "", &Complaint{"increment_var", fmt.Sprintf("env has no whole number in %s, which increment_var names", name), fmt.Sprintf(`say where it begins: env = { %s = "3000" }`, name)}
	}
	return strconv.Itoa(first + slot), nil
}

// environList is env as a sorted list of KEY=value.
func environList(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for _, key := range slices.Sorted(maps.Keys(env)) {
		list = append(list, key+"="+env[key])
	}
	return list
}

// EnvSources tells where each variable of an app's instances comes from, as
// far as it is the same for all of them: "daemon", "shell", "user" (that the
// app runs as), "env", or the path of a file of env_file. An error says which
// file cannot be read; the map is then without it.
func EnvSources(w Wanted) (map[string]string, error) {
	who, err := lookupAccount(w.User, w.Group)
	if err != nil {
		return nil, err
	}
	all, err := layers(os.Environ(), &w, who)
	sources := map[string]string{}
	for _, l := range all {
		for key := range l.vars {
			sources[key] = l.source
		}
	}
	return sources, err
}

// oursAlone are variables that every instance gets from us.
var oursAlone = []string{"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"}

// badVariable says what is wrong with a variable that an app declares; empty: nothing.
func badVariable(key, value string) string {
	switch {
	case key == "" || strings.ContainsAny(key, "=\x00"):
		return fmt.Sprintf("%q is no name of a variable", key)
	case strings.Contains(value, "\x00"):
		return key + " has a zero byte"
	case slices.Contains(oursAlone, key) || strings.HasPrefix(key, "ROOST_"):
		return key + " is set for each instance"
	}
	return ""
}
