package cli

import (
	"cmp"
	"context"
	"time"

	"roost/internal/unit"
	"roost/service/control"

	"github.com/spf13/cobra"
)

func newTLS(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tls",
		Short: "list and renew certificates",
		Long: `Certificates are got and renewed without being asked for, long before they
end. These commands show how that goes, and do it now.`,
		Example: "  roost tls list\n  roost tls renew www.example.com",
		Args:    parent,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTLSList(c), newTLSRenew(c))
	return cmd
}

func newTLSList(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the certificates of all domains, a line for each name",
		Long: `List the name of each certificate, its state (valid; waiting for the first;
failing when the last attempt did), issuer and key, in how long it expires and is
due to be renewed, and why the last attempt failed.`,
		Example: "  roost tls list\n  roost tls list --json",
		Args:    need(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			all, err := client.Certificates(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return c.json(all)
			}
			if len(all) == 0 {
				c.say("no certificates: no site has domains, or HTTPS is off")
				return nil
			}
			return certificateTable(all, time.Now()).write(c.out, c.paint)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "an array, one object for each name")
	return cmd
}

func certificateTable(all []control.Certificate, now time.Time) *table {
	t := newTable("name", "state", "issuer", "key", "expires in", "renewal in", "last error")
	for _, x := range all {
		style := styleGood
		if x.State != "valid" {
			style = styleWarn
		}
		next := x.Renews
		if !x.Retry.IsZero() {
			next = x.Retry // after a failure
		}
		expires := cell{timeLeft(x.Expires, now, "expired"), ""}
		if !x.Expires.IsZero() && x.Expires.Before(now) {
			expires.style = styleBad
		}
		t.add(cell{x.Name, styleBold}, cell{x.State, style}, cell{issuerOf(x), ""}, cell{cmp.Or(x.KeyType, "-"), ""},
			expires, cell{timeLeft(next, now, "due"), ""}, cell{x.Error, styleWarn})
	}
	return t
}

// issuerOf has a mark for names that nobody lists.
func issuerOf(x control.Certificate) string {
	if x.OnDemand {
		return x.Issuer + " (on demand)"
	}
	return x.Issuer
}

// timeLeft is how long it is until then, or that it is over.
func timeLeft(then, now time.Time, over string) string {
	switch {
	case then.IsZero():
		return "-"
	case !then.After(now):
		return over
	}
	return unit.Length(then.Sub(now))
}

func newTLSRenew(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "renew NAME",
		Short: "get a new certificate for a domain now",
		Long: `Get a new certificate for a domain or address now, whatever the age of the one
it has, and wait until it is served. When that fails, what the CA says is printed,
and what was there is served on. CAs limit how many they issue for a name (Let's
Encrypt five a week) and how many failures they bear; within a minute of a failure
they are not asked again.`,
		Example:           "  roost tls renew www.example.com\n  roost tls renew '*.example.com'",
		Args:              need(1, 1, "the name of a certificate, as roost tls list has them"),
		ValidArgsFunction: c.completeCertificates,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			var renewed control.Certificate
			err = c.follow(func(news func(string)) error {
				renewed, err = client.Renew(cmd.Context(), control.RenewRequest{Name: args[0]}, news)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return c.json(renewed)
			}
			c.printf("%s: a new certificate by %s, which expires in %s", renewed.Name, renewed.Issuer, timeLeft(renewed.Expires, time.Now(), "no time"))
			return nil
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// completeCertificates offers the names that have certificates.
func (c *console) completeCertificates(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if client, err := c.client(); err == nil && len(args) == 0 {
		ctx, cancel := context.WithTimeout(cmd.Context(), time.Second)
		defer cancel()
		all, _ := client.Certificates(ctx)
		for _, x := range all {
			names = append(names, x.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
