package apps

import "runtime"

// kind is how an app's instances are reached; see design section 4.
type kind string

const (
	kindNode       kind = "node"       // through the hook: a private socket and the app's own port
	kindListen     kind = "listen_fds" // a private socket by systemd's protocol
	kindFixed      kind = "fixed port" // the declared port, which one process can have
	kindPort       kind = "port"       // a private loopback port in PORT
	kindBackground kind = "background" // not at all
	hookAvailable       = runtime.GOOS != "windows"
)

// kindOf says how the instances of w are reached, as far as it can be told
// without running anything; a program that does not exist is taken by its name.
func kindOf(w *Wanted) kind { return kindOfProgram(w, runsNode(w)) }

func kindOfProgram(w *Wanted, node bool) kind {
	switch {
	case w.ListenFDs:
		return kindListen
	case node && hookAvailable:
		return kindNode
	case w.Port > 0:
		return kindFixed
	case w.Serves, w.Check.addresses():
		return kindPort
	}
	return kindBackground
}

// Clustered reports whether the instances of an app are workers to Node's cluster module.
func Clustered(c Config) bool { return runsNode(&Wanted{Config: c}) && c.clustered() }

// clustered reports whether an instance of c, whose program is Node, is a
// worker to Node's cluster module: as declared, else, as in PM2, where
// Instances is given.
func (c *Config) clustered() bool {
	switch c.ExecMode {
	case "cluster", "cluster_mode":
		return true
	case "fork", "fork_mode":
		return false
	}
	return c.Instances != 0
}

// treekill reports whether an instance ends with all that it has started.
func (c *Config) treekill() bool { return c.Treekill == nil || *c.Treekill }
