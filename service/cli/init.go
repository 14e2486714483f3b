package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"roost/apps/ecosystem"

	"github.com/spf13/cobra"
)

func newInit(c *console) *cobra.Command {
	var pm2 bool
	cmd := &cobra.Command{
		Use:     "init [simple]",
		Aliases: []string{"ecosystem"},
		Short:   "write a config file to begin with",
		Long: `Write a roost.toml with comments, for the script that is in this folder; with
--pm2 an ecosystem.config.js, which PM2 reads as well. "simple" leaves the
comments out. A file that exists is not touched.`,
		Example:   "  roost init\n  roost init simple --pm2",
		ValidArgs: []string{"simple"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "simple" {
				return nil
			}
			return need(0, 0, "")(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			file, text := defaultConfig, tomlTemplate
			if pm2 {
				file, text = "ecosystem.config.js", pm2Template
			}
			return c.initFile(file, text, len(args) > 0)
		},
	}
	cmd.Flags().BoolVar(&pm2, "pm2", false, "write ecosystem.config.js")
	return cmd
}

// initFile writes a template, unless the file is there.
func (c *console) initFile(file, text string, simple bool) error {
	script := mainScript()
	var b strings.Builder
	err := template.Must(template.New(file).Parse(text)).Execute(&b, map[string]string{"Script": script, "Name": ecosystem.Name(script)})
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", file, err)
	}
	text = b.String()
	if simple {
		text = withoutComments(text)
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usage("there is a "+file+" already", "look for mistakes in it: roost check %s", file)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", file, err)
	}
	if _, err = out.WriteString(text); err != nil {
		err = fmt.Errorf("cannot write %s: %w", file, err)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	c.say("wrote %s", file)
	c.hint("edit it, then: roost check %s; roost apply %s", file, file)
	return nil
}

// mainScript is the script that is most probably meant in this folder.
func mainScript() string {
	scripts := []string{"server.js", "index.js", "app.js", "main.js", "src/index.js", "main.py", "app.py"}
	i := slices.IndexFunc(scripts, func(name string) bool {
		_, err := os.Stat(filepath.FromSlash(name))
		return err == nil
	})
	return scripts[max(i, 0)]
}

// withoutComments leaves out the comments of a template, and empty lines.
func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		for _, mark := range []string{"# ", "// "} {
			line, _, _ = strings.Cut(line, mark)
		}
		if line = strings.TrimRight(line, " \n"); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

const tomlTemplate = `# What runs on this box: roost check finds mistakes, roost apply makes it so.

[[app]]
name = "{{.Name}}"
script = "{{.Script}}"
# or any program: command = "./server --flag"
# args = ["--verbose"]
instances = 1                # a number, or "max": one for each CPU
env = { NODE_ENV = "production" }
# env_file = ".env"
# env_staging = { NODE_ENV = "staging" }    # roost apply --env staging
# port = 3000                # the app's own port; Node's is found out
# wait_ready = true          # ready when it says so: process.send("ready")
# max_memory_restart = "300M"
# cron_restart = "0 4 * * *"
# watch = ["src"]

# HTTPS in front of it; certificates come by themselves.
# [[site]]
# domains = ["example.com"]
# root = "public"
#   [[site.route]]
#   path = "/api/"
#   app = "{{.Name}}"
`

const pm2Template = `// What runs on this box: roost check finds mistakes, roost apply makes it so.
module.exports = {
  apps: [
    {
      name: '{{.Name}}',
      script: '{{.Script}}',
      // args: '--verbose',
      instances: 1, // a number, or 'max': one for each CPU
      env: { NODE_ENV: 'development' },
      env_production: { NODE_ENV: 'production' }, // roost apply ecosystem.config.js --env production
      // wait_ready: true, // ready when it says so: process.send('ready')
      // max_memory_restart: '300M',
      // cron_restart: '0 4 * * *',
      // watch: ['src'],
    },
  ],
};
`
