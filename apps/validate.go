package apps

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"roost/internal/unit"
)

// Complaint is one thing that is wrong with a Config.
type Complaint struct {
	Key  string // the key at fault, as in roost.toml; "" when it is the app as a whole
	What string // what is wrong
	Hint string // what to do about it
}

// Error is what is wrong, without the hint.
func (c *Complaint) Error() string { return c.What }

// minLogSize is the least that max_log_size may be, in bytes: a few lines of the greatest length.
const minLogSize = 64 << 10

// Validate returns all that is wrong with w's declaration as far as it can be
// seen without the other apps of the box, in the order of Config's fields. It
// looks for the script, its interpreter and the folder where an instance would
// now; that they are there later it cannot promise.
func Validate(w Wanted) []Complaint {
	return (&validation{c: w.Config, environ: w.Environ, windows: runtime.GOOS == "windows"}).all()
}

func (v *validation) all() []Complaint {
	v.names()
	v.program()
	v.numbers()
	v.reach()
	v.alive()
	v.stopping()
	v.start()
	v.environment()
	v.triggers()
	v.logs()
	return v.found
}

type validation struct {
	c     Config
	found []Complaint
	node  bool // the program was found and is Node
	known bool // the program was found
	other bool // it was, and does not run JavaScript

	environ map[string]string // Wanted.Environ
	windows bool              // that is where it is to run
}

func (v *validation) add(key, what, hint string, args ...any) {
	v.found = append(v.found, Complaint{key, fmt.Sprintf(what, args...), hint})
}

// complain takes what was found elsewhere.
func (v *validation) complain(err error) {
	if c, ok := errors.AsType[*Complaint](err); ok {
		v.found = append(v.found, *c)
		return
	}
	v.add("", "%v", "", err)
}

func (v *validation) names() {
	v.name("name", v.c.Name)
	if v.c.Name == "" {
		v.add("name", "the app has no name", `set name = "web"`)
	}
	v.name("namespace", v.c.Namespace)
}

func (v *validation) name(key, name string) {
	if what, hint := badName(name); what != "" && name != "" {
		v.add(key, "%s %q %s", hint, key, name, what)
	}
}

func (v *validation) program() {
	c := v.c
	switch {
	case c.Script == "" && c.Command == "":
		v.add("", "neither script nor command says what to run", `set script = "server.js" or command = "./server --flag"`)
	case c.Script != "" && c.Command != "":
		v.add("command", "both script and command say what to run", "remove one of them")
	}
	if c.Command != "" && c.Script == "" {
		if c.Interpreter != "" {
			v.add("interpreter", "interpreter is for a script; command names its program itself", "remove it, or use script")
		}
		if len(c.NodeArgs) > 0 {
			v.add("node_args", "node_args is for a script", "write the arguments into command")
		}
	}
	if _, err := workingDir(&c); err != nil {
		v.complain(err)
		return // nothing in it exists
	}
	if (c.Script == "") == (c.Command == "") {
		return
	}
	i, err := commandLine(&c, guessEnv(&Wanted{Config: c, Environ: v.environ}))
	if err != nil {
		v.complain(err)
	}
	v.node, v.known = i.node, err == nil
	if v.known && !v.node {
		v.other = !slices.Contains([]string{"bun", "deno"}, baseName(i.argv[0]))
	}
}

func (v *validation) numbers() {
	c := v.c
	if n := c.Instances; n != Max && (n > 1000 || n < -1000) {
		v.add("instances", "instances = %d is out of range", `at most 1000, or "max"`, int(n))
	}
	for _, d := range []struct {
		key string
		d   unit.Duration
	}{
		{"listen_timeout", c.ListenTimeout}, {"min_uptime", c.MinUptime},
		{"restart_delay", c.RestartDelay}, {"exp_backoff_restart_delay", c.ExpBackoff}, {"kill_timeout", c.KillTimeout}, {"queue_timeout", c.QueueTimeout},
	} {
		if d.d < 0 {
			v.add(d.key, "%s = %v is negative", `write milliseconds or a text such as "30s"`, d.key, d.d)
		}
	}
	for _, n := range []struct {
		key string
		n   int
	}{
		{"max_restarts", c.MaxRestarts}, {"queue_limit", c.QueueLimit}, {"max_log_files", c.MaxLogFiles},
	} {
		if n.n < 0 {
			v.add(n.key, "%s = %d is negative", "leave it out for the default", n.key, n.n)
		}
	}
	if c.MaxLogSize < 0 || c.MaxLogSize > 0 && c.MaxLogSize < minLogSize {
		v.add("max_log_size", "max_log_size = %d bytes is less than the least, 64K", `write a unit, such as "10M"`, int64(c.MaxLogSize))
	}
	if !v.windows {
		for _, code := range c.StopExitCodes {
			if code < 0 || code > 255 {
				v.add("stop_exit_codes", "%d is no exit code", "exit codes are 0 to 255", code)
			}
		}
	}
}

// reach checks how requests reach the instances.
func (v *validation) reach() {
	c := v.c
	if c.Port < 0 || c.Port > 65535 {
		v.add("port", "port = %d is out of range", "ports are 1 to 65535", c.Port)
	}
	if c.Port > 0 && !c.ListenFDs && v.known && (!v.node || v.windows) && c.Instances != 0 && c.Instances != 1 {
		v.add("instances", "%v instances cannot all listen on port %d", "remove port, so that each gets its own in PORT; or set listen_fds = true when the program takes sockets", c.Instances, c.Port)
	}
	if c.ListenFDs && v.node {
		v.add("listen_fds", "listen_fds is not for Node: its instances share a port without it", "remove it")
	}
	if c.ListenFDs && v.windows {
		v.add("listen_fds", "listen_fds does not exist on Windows", "remove it and listen on PORT")
	}
	if c.WaitReady && v.windows {
		v.add("wait_ready", "on Windows no program can say that it is ready", "remove it; with health an instance is ready when that path answers")
	}
	if isNoPath(c.Health) {
		v.add("health", "health = %q is no path", `write a path such as "/health"`, c.Health)
	}
}

func (v *validation) stopping() {
	c := v.c
	if c.KillSignal != "" {
		if _, ok := signalNamed(c.KillSignal); !ok {
			v.add("kill_signal", "no signal is called %s", "SIGINT and SIGTERM are usual", c.KillSignal)
		}
	}
	switch {
	case c.ShutdownWithMessage && v.windows:
		v.add("shutdown_with_message", "on Windows instances get no messages", "remove it; the instance gets CTRL_BREAK")
	case c.ShutdownWithMessage && v.known && !v.node:
		v.add("shutdown_with_message", "only Node instances get messages", "remove it; the instance gets kill_signal")
	}
	if _, err := lookupAccount(c.User, c.Group); err != nil {
		v.complain(err)
	}
}
