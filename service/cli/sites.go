package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"roost/host"
	"roost/service/control"
	"roost/static"

	"github.com/spf13/cobra"
)

func newServe(c *console) *cobra.Command {
	var r siteFlags
	cmd := &cobra.Command{
		Use:   "serve DIR",
		Short: "serve a folder as a site",
		Long: `Add a site that serves a folder: for the domains given, or for every name of
the box. It stays, after a reboot too, until it is removed with --delete, by
its folder or by its domains. Where it listens: roost status.`,
		Example: `  roost serve public
  roost serve dist --domain app.example.com --spa
  roost serve --delete dist
  roost serve --delete --domain app.example.com`,
		Args: need(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && !(r.remove && len(r.domains) > 0) {
				return usage("roost serve needs a folder", "such as: roost serve public")
			}
			return c.serve(cmd.Context(), r, args)
		},
	}
	f := cmd.Flags()
	f.StringSliceVarP(&r.domains, "domain", "d", nil, "a DNS name to answer; repeatable (default: every name)")
	f.StringVar(&r.path, "path", "/", "path that leads to the folder")
	f.StringVar(&r.html, "html-handling", "", "which path of a page answers, by `MODE`: auto-trailing-slash, force-trailing-slash, drop-trailing-slash, none, plain")
	f.StringVar(&r.symlinks, "symlinks", "", "which links in the folder are followed, by `MODE`: inside, none, follow (out of it, too)")
	f.BoolVar(&r.spa, "spa", false, "answer unknown pages with /index.html")
	f.BoolVar(&r.browse, "browse", false, "list folders that have no index.html")
	f.BoolVar(&r.remove, "delete", false, "remove the site instead")
	jsonFlag(cmd, &r.asJSON)
	return cmd
}

type siteFlags struct {
	domains                     []string
	path, html, symlinks        string
	spa, browse, remove, asJSON bool
}

// site is the site that the flags and the folder, if any, describe.
func (r siteFlags) site(args []string) (host.Site, error) {
	s := host.Site{Domains: r.domains}
	if len(args) == 0 {
		return s, nil
	}
	dir, err := filepath.Abs(args[0])
	if err != nil {
		return s, fmt.Errorf("cannot find %s: %w", args[0], err)
	}
	if _, err := os.Stat(dir); !r.remove && errors.Is(err, fs.ErrNotExist) {
		return s, usage(args[0]+" does not exist", "create it, or correct the path")
	} else if !r.remove && !isFolder(dir) {
		return s, usage(args[0]+" is not a folder", "a script is started by: roost start %s", args[0])
	}
	target := host.Target{Root: dir, Serving: static.Serving{HTMLHandling: r.html, Symlinks: r.symlinks, SPA: r.spa, Browse: r.browse}}
	switch {
	case !strings.HasPrefix(r.path, "/"):
		return s, usage(fmt.Sprintf("--path %q does not begin with a slash", r.path), "such as: --path /docs/")
	case r.path == "/" || r.remove:
		s.Target = target
	default:
		s.Routes = []host.Route{{Path: r.path, Target: target}}
	}
	return s, nil
}

func (c *console) serve(ctx context.Context, r siteFlags, args []string) error {
	site, err := r.site(args)
	if err != nil {
		return err
	}
	client, err := c.client()
	if !r.remove {
		client, err = c.daemon(ctx)
	}
	if err != nil {
		return err
	}
	change := client.AddSite
	if r.remove {
		change = client.RemoveSite
	}
	var plan control.Plan
	err = c.follow(func(news func(string)) error {
		plan, err = change(ctx, control.SiteRequest{Site: site}, news)
		return err
	})
	if err != nil {
		return err
	}
	if err := c.plan(plan, r.asJSON); err != nil || r.remove || r.asJSON {
		return err
	}
	status, err := client.Status(ctx)
	if err != nil {
		return err
	}
	mine := slices.DeleteFunc(status.Sites, func(s control.Site) bool { return !slices.Equal(s.Domains, site.Domains) })
	if at := addresses(status.Listeners, mine); len(at) > 0 {
		c.say("open:")
		c.openAt(at)
	}
	return nil
}
