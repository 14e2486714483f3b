package pm2

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"roost/apps"
)

func (s *session) describe() error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	mine := named(rows, s.args[0])
	if len(mine) == 0 {
		s.warnErr("%s doesn't exist", s.args[0])
		return failed
	}
	for i := range mine {
		s.describeRow(&mine[i])
	}
	return nil
}

// describeRow prints all about one process: PM2's table, its actions, figures and
// the variables that this shell has otherwise.
func (s *session) describeRow(r *row) {
	s.title(fmt.Sprintf("Describing process with id %d - name %s", r.ID, r.App), bold)
	c, logs := &r.app.Config, r.logs()
	g := &grid{}
	put := func(key, value string, styles ...style) {
		g.add(field{key, nil}, field{value, styles})
	}
	when := func(key, value string) {
		if value != "" {
			put(key, value)
		}
	}
	put("status", r.status(), statusStyle(r.status())...)
	when("reason", r.Reason)
	put("name", r.App)
	put("namespace", r.Namespace)
	put("version", orNA(r.app.Version))
	put("restarts", fmt.Sprint(r.Restarts))
	when("cron restart", c.CronRestart)
	put("uptime", r.age())
	put("script path", r.script())
	put("script args", orNA(strings.Join(c.Args, " ")))
	put("error log path", logs.Err)
	put("out log path", logs.Out)
	when("combined log path", logs.Both)
	put("pid path", s.pidFile(r))
	put("interpreter", r.interpreter())
	put("interpreter args", orNA(strings.Join(c.NodeArgs, " ")))
	put("script id", fmt.Sprint(r.ID))
	put("exec cwd", c.Cwd)
	put("exec mode", r.mode()+"_mode")
	put("node.js version", orNA(r.nodeVersion()))
	put("node env", orNA(cmp.Or(c.Env["NODE_ENV"], r.app.Values["NODE_ENV"])))
	if r.watches() {
		put("watch & reload", "✔", bold, green)
	} else {
		put("watch & reload", "✘", bold, red)
	}
	put("unstable restarts", "0")
	put("created at", time.UnixMilli(milliseconds(r.app.Created, r.Started)).UTC().Format("2006-01-02T15:04:05.000Z"))
	when("sites", strings.Join(r.app.Sites, " "))
	s.grid(g)

	if len(r.Actions) > 0 {
		s.title("Actions available", bold)
		g := &grid{}
		for _, a := range r.Actions {
			g.add(field{text: a.Name})
		}
		s.grid(g)
		s.print(" Trigger via: pm2 trigger %s <action_name>\n", apps.ShowName(r.App))
	}
	if figures := monitor(&r.Instance); len(figures) > 0 {
		s.title("Code metrics value", bold)
		g := &grid{}
		for _, m := range figures {
			figure := m.value.(object)
			text, _ := scalar(figure.get("value"))
			if unit := figure.get("unit"); unit != nil {
				text += " " + fmt.Sprint(unit)
			}
			g.add(field{text: m.key}, field{text: text})
		}
		s.grid(g)
	}
	s.title("Divergent env variables from local env", bold)
	other := &grid{}
	for _, name := range slices.Sorted(maps.Keys(r.app.Values)) {
		if value, here := os.LookupEnv(name); here && value != r.app.Values[name] {
			other.add(field{text: name}, field{text: cut(r.app.Values[name], 60)})
		}
	}
	if len(other.rows) > 0 {
		s.grid(other)
	} else {
		s.print("")
	}
	s.print("\n Use `pm2 logs %s [--lines 1000]` to display logs\n Use `pm2 env %d` to display environment variables\n Use `pm2 monit` to monitor CPU and Memory usage %[1]s", apps.ShowName(r.App), r.ID)
}

func (s *session) title(text string, styles ...style) {
	s.print("%s", s.paint(" "+text+" ", append([]style{inverse}, styles...)...))
}
