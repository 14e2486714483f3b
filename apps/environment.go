package apps

import (
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
)

// An instance's environment is, each over the ones before:
//
//  1. of the daemon: what a program needs to find its way (passed)
//  2. Environ, the shell that started the app, when one did
//  3. HOME, USER and LOGNAME of the app's user, when it has its own
//  4. Env, as declared
//  5. what says which instance this is, and where it listens
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

// environment joins the layers into a sorted list of KEY=value. daemon is a
// list like os.Environ, user is the third layer, ours the fifth.
func environment(daemon []string, w *Wanted, user, ours map[string]string) []string {
	env := map[string]string{}
	for _, kv := range daemon {
		if key, value, ok := strings.Cut(kv, "="); ok && passes(key) {
			env[key] = value
		}
	}
	for key, value := range w.Environ {
		if !isPrivate(key) {
			env[key] = value
		}
	}
	maps.Copy(env, user)
	maps.Copy(env, w.Env)
	maps.Copy(env, ours)
	list := make([]string, 0, len(env))
	for _, key := range slices.Sorted(maps.Keys(env)) {
		list = append(list, key+"="+env[key])
	}
	return list
}

// searchPath is the PATH that an instance of w has, where its program is looked for.
func searchPath(w *Wanted) string {
	for _, layer := range []map[string]string{w.Env, w.Environ} {
		if path, ok := layer["PATH"]; ok {
			return path
		}
	}
	return os.Getenv("PATH")
}
