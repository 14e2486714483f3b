package cli

import (
	"context"
	"fmt"
	"os"

	"roost/service"
	"roost/service/control"
	"roost/service/install"
	"roost/tls"

	"github.com/spf13/cobra"
)

func newCA(c *console) *cobra.Command {
	show := func(cmd *cobra.Command, _ []string) error {
		root, err := c.rootPEM(cmd.Context())
		if err != nil {
			return err
		}
		if _, dirs, err := service.Locate(); err == nil {
			c.say("the root certificate of the internal CA, kept in %s", dirs.TLS)
		}
		c.hint("have this machine trust it: %s", c.asRoot("ca install"))
		_, err = c.out.Write(root)
		return err
	}
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "show or trust the root certificate of the internal CA",
		Long: `The internal CA signs the certificates of localhost, *.localhost, .local,
.internal, .home.arpa and private addresses. Its root certificate stays the
same for as long as the state does.`,
		Example: "  roost ca show > roost-root.pem\n  sudo roost ca install",
		Args:    parent,
		RunE:    show,
	}
	cmd.AddCommand(
		&cobra.Command{Use: "show", Short: "print the root certificate as PEM", Example: "  roost ca show > roost-root.pem", Args: need(0, 0, ""), RunE: show},
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

func (c *console) rootPEM(ctx context.Context) ([]byte, error) {
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	return client.Root(ctx)
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
	root, err := c.rootPEM(ctx)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "roost-root-*.pem")
	if err != nil {
		return fmt.Errorf("cannot hand over the root certificate: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(root)
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
