package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"roost/service/control"
	"roost/service/install"
	"roost/tls"

	"github.com/spf13/cobra"
)

func newCA(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "show or trust the root certificate of the internal CA",
		Long: `The internal CA signs the certificates of localhost, *.localhost, .local,
.internal, .home.arpa and private addresses. Its root certificate stays the
same for as long as the state does.`,
		Example: "  roost ca show > roost-root.pem\n  sudo roost ca install",
		Args:    parent,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.showCA(cmd.Context(), false) },
	}
	cmd.AddCommand(
		newCAShow(c),
		&cobra.Command{
			Use: "install", Short: "have this machine trust the root certificate", Example: "  sudo roost ca install", Args: need(0, 0, ""),
			RunE: func(cmd *cobra.Command, _ []string) error {
				return c.trust(cmd.Context(), "install", "this machine trusts the root certificate now; browsers may need a restart", tls.InstallRoot)
			},
		},
		&cobra.Command{
			Use: "uninstall", Short: "have this machine trust it no more", Example: "  sudo roost ca uninstall", Args: need(0, 0, ""),
			RunE: func(cmd *cobra.Command, _ []string) error {
				return c.trust(cmd.Context(), "uninstall", "this machine does not trust the root certificate any more", tls.UninstallRoot)
			},
		},
	)
	for _, sub := range cmd.Commands() {
		sub.DisableFlagsInUseLine = true
	}
	return cmd
}

func newCAShow(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "print the root certificate as PEM, and on stderr what there is to know of it",
		Long: `Print the root certificate of the internal CA as PEM; on stderr its name, its
fingerprint, when it and the intermediate that signs for it end, its file, whether
this machine trusts it, and how to have other programs and machines trust it.`,
		Example: "  roost ca show > roost-root.pem\n  roost ca show --json | jq -r .fingerprint_sha256",
		Args:    need(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.showCA(cmd.Context(), asJSON) },
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// shownCA is the answer of roost ca show --json.
type shownCA struct {
	tls.CA
	// Trusted says whether this machine trusts the root.
	Trusted bool `json:"trusted_here"`
}

func (c *console) showCA(ctx context.Context, asJSON bool) error {
	ca, err := c.ca(ctx)
	if err != nil {
		return err
	}
	trusted := tls.Trusted(ca.Certificate)
	if asJSON {
		return c.json(shownCA{ca, trusted})
	}
	here := "it is trusted"
	if !trusted {
		here = "not trusted yet: " + c.asRoot("ca install")
	}
	c.say("the root certificate of the internal CA: %s", ca.Subject)
	const file = "roost-root.pem"
	t := newTable()
	for _, line := range [][2]string{
		{"SHA-256", ca.Fingerprint},
		{"ends", ca.Expires.Local().Format(time.DateOnly) + ", the intermediate that signs for it " + ca.IntermediateExpires.Local().Format(time.DateOnly)},
		{"file", ca.File},
		{"this machine", here},
		{"elsewhere", c.command("ca show") + " > " + file + ", take that there, compare the fingerprint, then have it trusted:"},
		{"", "curl --cacert " + file + ", NODE_EXTRA_CA_CERTS=" + file + " node, or import it into the browser as an authority"},
	} {
		t.add(cell{line[0], ""}, cell{line[1], ""})
	}
	if err := t.write(c.err, func(_, text string) string { return text }); err != nil {
		return err
	}
	_, err = io.WriteString(c.out, ca.Certificate)
	return err
}

func (c *console) ca(ctx context.Context) (tls.CA, error) {
	client, err := c.client()
	if err != nil {
		return tls.CA{}, err
	}
	return client.CA(ctx)
}

// trust hands the root certificate to the machine's trust stores, or takes it back.
func (c *console) trust(ctx context.Context, verb, done string, change func(path string) error) error {
	if !install.Privileged() {
		return &control.Error{
			Code:    control.CodeForbidden,
			Message: "an ordinary user cannot change what this machine trusts",
			Hint:    "run it as root: " + c.asRoot("ca "+verb),
		}
	}
	ca, err := c.ca(ctx)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "roost-root-*.pem")
	if err != nil {
		return fmt.Errorf("cannot hand over the root certificate: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(ca.Certificate)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("cannot hand over the root certificate: %w", err)
	}
	if err := change(file.Name()); err != nil {
		return err
	}
	c.say("%s", done)
	return nil
}
