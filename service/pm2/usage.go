package pm2

import (
	"fmt"
	"strings"
)

// usage is what a bare pm2 prints.
func (s *session) usage() {
	s.print(`usage: pm2 [options] <command>

pm2 -h, --help             all commands and options
pm2 examples               some examples
pm2 <command> -h           help on a command

the files are in $PM2_HOME, which is ~/.pm2 when not set`)
}

// help prints all commands and flags.
func (s *session) help() {
	s.print("\n  Usage: pm2 [cmd] app\n\n  Options:\n")
	for i := range flags {
		if f := &flags[i]; f.on == nil {
			s.print("    %-44s %s", f.name(), f.help)
		}
	}
	s.print("\n  Commands:\n")
	for i := range commands {
		if c := &commands[i]; c.help != "" {
			s.print("    %-60s %s", c.usage(), c.help)
		}
	}
	s.print("")
}

// explain prints one command and the flags that are its own.
func (s *session) explain(c *command) {
	s.print("\n  Usage: pm2 %s\n\n  %s\n\n  Options:\n", c.usage(), c.help)
	for i := range flags {
		f := &flags[i]
		for _, name := range f.on {
			if name == c.names[0] {
				s.print("    %-36s %s", f.name(), f.help)
			}
		}
	}
	s.print("    %-36s %s\n", "-h, --help", "explain; pm2 --help lists the flags that all commands take")
}

func (c *command) usage() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s", strings.Join(c.names, "|"), c.args))
}

func (s *session) examples() error {
	s.print(`keep a script running, under a name
  $ pm2 start app.js --name web
as many instances as there are CPUs
  $ pm2 start app.js -i max
what runs, and what it prints
  $ pm2 ls
  $ pm2 logs web
new code without a lost request
  $ pm2 reload web
end it, or forget it
  $ pm2 stop web
  $ pm2 delete web
after a reboot too
  $ pm2 startup`)
	return nil
}
