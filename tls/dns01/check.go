package dns01

import (
	"errors"
	"maps"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/shlex"
	"github.com/miekg/dns"
)

// longest is how long Propagation may be: an order's place is taken meanwhile.
const longest = 30 * time.Minute

// Check tells complain of all that is wrong with c, key by key of its table, as
// far as can be seen without a network. private reports whether a host is in a
// network of the user's own, where http is good enough.
func (c Config) Check(private func(host string) bool, complain func(key, hint, format string, args ...any)) {
	if c == (Config{}) {
		return
	}
	needed, known := needs[c.Provider]
	if !known {
		const hint = `use "rfc2136", "acme-dns", "exec" or "webhook"`
		if c.Provider == "" {
			complain("provider", hint, "dns names no provider")
		} else {
			complain("provider", hint, "unknown DNS provider %q", c.Provider)
		}
		return
	}
	keys := map[string]bool{}
	for _, list := range needs {
		for _, key := range list {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		switch wanted, is := slices.Contains(needed, key), c.value(key) != ""; {
		case wanted && !is:
			complain(key, "set "+key, "the DNS provider %s needs %s", c.Provider, key)
		case !wanted && is:
			complain(key, "remove it", "the DNS provider %s has no use for %s", c.Provider, key)
		}
	}
	c.checkSecret(complain)
	for _, at := range []struct{ key, address string }{{"server", c.Server}, {"resolver", c.Resolver}} {
		if at.address != "" && !isAddress(at.address) {
			complain(at.key, `write a host with or without a port, such as "ns1.example.com" or "192.0.2.53:5353"`, "%q is not the address of a name server", at.address)
		}
	}
	if _, ok := dns.IsDomainName(c.KeyName); c.KeyName != "" && !ok {
		complain("key_name", "write the name as the name server has it", "%q is not the name of a TSIG key", c.KeyName)
	}
	if c.URL != "" {
		c.checkURL(private, complain)
	}
	if c.Command != "" {
		c.checkCommand(complain)
	}
	if time.Duration(c.Propagation) > longest {
		complain("propagation", `want at most "30m"`, "propagation = %q is longer than a record ever takes", c.Propagation)
	}
}

func (c Config) checkSecret(complain func(key, hint, format string, args ...any)) {
	switch {
	case c.Provider == Exec:
		for key, set := range map[string]bool{"secret_file": c.SecretFile != "", "secret_env": c.SecretEnv != ""} {
			if set {
				complain(key, "remove it: the command has its own", "the DNS provider exec has no use for %s", key)
			}
		}
		return
	case c.SecretFile != "" && c.SecretEnv != "":
		complain("secret_env", "keep one of the two", "both secret_file and secret_env are set")
		return
	case c.SecretFile == "" && c.SecretEnv == "":
		if c.Provider != Webhook {
			complain("secret_file", "set secret_file to a file that holds it, or secret_env to the name of a variable", "the DNS provider %s needs a secret", c.Provider)
		}
		return
	}
	key, hint := "secret_file", "name a file that this user can read"
	if c.SecretFile == "" {
		key, hint = "secret_env", "set the variable where the program is started"
	}
	secret, err := c.secret()
	if err == nil {
		hint = "copy it again, without anything around it"
		switch c.Provider {
		case RFC2136:
			err = checkKey(secret)
		case ACMEDNS:
			_, err = readAccounts(secret)
		case Webhook:
			err = checkToken(secret)
		}
	}
	if err != nil {
		complain(key, hint, "%v", err)
	}
}

func (c Config) checkURL(private func(string) bool, complain func(key, hint, format string, args ...any)) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		complain("url", `write it in full, such as "https://dns.example.com/hook"`, "url is not one of https")
	case u.User != nil:
		complain("url", "put the secret into a file and name it with secret_file", "url holds a user or a password, and would be shown")
	case u.Scheme == "http" && !private(u.Hostname()):
		complain("url", "use https; http is good enough only for private addresses", "%s cannot be trusted with a secret over http", u.Host)
	}
}

func (c Config) checkCommand(complain func(key, hint, format string, args ...any)) {
	words, err := shlex.Split(c.Command)
	if err != nil || len(words) == 0 {
		complain("command", "close its quotes", "command cannot be split into words")
		return
	}
	_, err = exec.LookPath(words[0])
	if err == nil && strings.ContainsAny(words[0], `/\`) && !filepath.IsAbs(words[0]) {
		err = errors.New(words[0] + " is found from some folders only")
	}
	if err != nil {
		complain("command", "write the absolute name of a program that this user may run", "cannot run the command: %v", err)
	}
}

// isAddress reports whether s is a host with or without a port.
func isAddress(s string) bool {
	host, port, err := net.SplitHostPort(withPort(s))
	n, bad := strconv.Atoi(port)
	if err != nil || bad != nil || n < 1 || n > 65535 || host == "" || strings.ContainsAny(host, "/ @") {
		return false
	}
	_, ok := dns.IsDomainName(host)
	return ok || net.ParseIP(host) != nil
}

// withPort gives a name server's address the port 53 where it has none.
func withPort(s string) string {
	if _, _, err := net.SplitHostPort(s); err == nil {
		return s
	}
	return net.JoinHostPort(strings.Trim(s, "[]"), "53")
}
