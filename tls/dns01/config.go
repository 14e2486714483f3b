package dns01

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"roost/internal/unit"
)

// The providers.
const (
	RFC2136 = "rfc2136"
	ACMEDNS = "acme-dns"
	Exec    = "exec"
	Webhook = "webhook"
)

// Config says who changes the DNS. It holds no secret and can be compared; its
// zero value means nobody.
type Config struct {
	// Provider is "rfc2136", "acme-dns", "exec" or "webhook".
	Provider string `toml:"provider" json:"provider,omitempty"`
	// Server is the primary name server of the zone, with a port where that is not 53 (rfc2136).
	Server string `toml:"server" json:"server,omitempty"`
	// KeyName is the name of the TSIG key; its algorithm is hmac-sha256 (rfc2136).
	KeyName string `toml:"key_name" json:"key_name,omitempty"`
	// URL is where requests go (acme-dns, webhook).
	URL string `toml:"url" json:"url,omitempty"`
	// Command is a program with its arguments, in the words of a shell without a shell (exec).
	Command string `toml:"command" json:"command,omitempty"`
	// SecretFile holds the secret: the TSIG key in base64 (rfc2136), the
	// accounts in JSON (acme-dns), the bearer token (webhook).
	SecretFile string `toml:"secret_file" json:"secret_file,omitempty"`
	// SecretEnv names the variable of the environment that holds the secret instead.
	SecretEnv string `toml:"secret_env" json:"secret_env,omitempty"`
	// Resolver is asked for the zone of a name and whether the record can be
	// seen, with a port where that is not 53. When it is empty the system's
	// resolvers are, and then all name servers of the zone.
	Resolver string `toml:"resolver" json:"resolver,omitempty"`
	// Propagation is how long a record may take to be seen; 2 minutes when 0.
	Propagation unit.Duration `toml:"propagation" json:"propagation,omitzero"`
	// All proves every public name by the DNS; otherwise only wildcards are.
	All bool `toml:"all" json:"all,omitempty"`
}

// needs are the keys that each provider has to have, beside the secret.
var needs = map[string][]string{
	RFC2136: {"server", "key_name"},
	ACMEDNS: {"url"},
	Exec:    {"command"},
	Webhook: {"url"},
}

// value returns what the key of needs holds.
func (c Config) value(key string) string {
	return map[string]string{"server": c.Server, "key_name": c.KeyName, "url": c.URL, "command": c.Command}[key]
}

// secret reads the secret where it is.
func (c Config) secret() (string, error) {
	text, from := "", "the variable "+c.SecretEnv
	if c.SecretFile != "" {
		read, err := os.ReadFile(c.SecretFile)
		if err != nil {
			return "", fmt.Errorf("cannot read the secret: %w", err)
		}
		text, from = string(read), c.SecretFile
	} else if c.SecretEnv != "" {
		text = os.Getenv(c.SecretEnv)
	} else {
		return "", errors.New("there is no secret: set secret_file")
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", fmt.Errorf("cannot read the secret: %s is empty", from)
	}
	return text, nil
}
