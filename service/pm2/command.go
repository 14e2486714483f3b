package pm2

import (
	"slices"
	"strings"

	"roost/apps/ecosystem"
	"roost/service/cli"
)

// need says what a command needs of the daemon.
type need int

const (
	running need = iota // started where none runs, as PM2 does
	quiet               // likewise, without a word on stdout: programs read that
	none                // does without, or sees to it itself
)

// command is one of PM2's.
type command struct {
	names  []string // the first is how it is called, the others are aliases
	args   string   // as usage shows them: "<required>" and "[optional]"
	least  int      // arguments
	most   int      // arguments; more are not looked at, unless strict; -1: any number
	strict bool     // more are an error
	daemon need
	run    func(*session) error
	help   string // none: it is not one of PM2's, and not shown
	// lenient commands pass over flags that nobody knows, as PM2's containers do.
	lenient bool
}

const targets = "<id|name|namespace|all|json|stdin...>"

// commands are all of PM2's, in the order of its help. It is filled by init,
// for help looks through it.
var commands []command

func init() {
	commands = []command{
		{names: []string{"start"}, args: "[name|namespace|file|ecosystem|id...]", most: -1, run: (*session).start, help: "start an app, or one that is there"},
		{names: []string{"trigger"}, args: "<id|proc_name|namespace|all> <action_name> [params]", least: 2, most: 3, run: (*session).trigger, help: "have apps do an action that they offer"},
		{names: []string{"startOrRestart"}, args: "<json>", least: 1, most: 1, run: fileCommand(restart), help: "start or restart what a file declares"},
		{names: []string{"startOrReload", "startOrGracefulReload"}, args: "<json>", least: 1, most: 1, run: fileCommand(reload), help: "start or reload what a file declares"},
		{names: []string{"pid"}, args: "[app_name]", most: 1, daemon: quiet, run: (*session).pid, help: "print process ids"},
		{names: []string{"stop"}, args: targets, least: 1, most: -1, run: act(stop), help: "stop apps"},
		{names: []string{"restart"}, args: targets, least: 1, most: -1, run: act(restart), help: "stop apps and start them again"},
		{names: []string{"scale"}, args: "<app_name> <number>", least: 2, most: 2, run: (*session).scale, help: "have more or fewer instances: 4, +2, -1"},
		{names: []string{"reload", "gracefulReload"}, args: "<id|name|namespace|all>", least: 1, most: -1, run: act(reload), help: "replace instances one by one, losing no request"},
		{names: []string{"id"}, args: "<name>", least: 1, most: 1, daemon: quiet, run: (*session).id, help: "print the ids of an app"},
		{names: []string{"delete", "del"}, args: targets, least: 1, most: -1, run: act(remove), help: "stop apps and forget them"},
		{names: []string{"sendSignal"}, args: "<signal> <pm2_id|name>", least: 2, most: 2, run: (*session).sendSignal, help: "send a signal"},
		{names: []string{"ping"}, most: 0, run: (*session).ping, help: "say whether the daemon answers; start it if not"},
		{names: []string{"update", "updatePM2"}, most: 0, run: (*session).update, help: "restart the daemon as the program that is installed now"},
		{names: []string{"set"}, args: "[key] [value]", most: 2, daemon: none, run: (*session).set, help: "set a value of module_conf.json"},
		{names: []string{"multiset"}, args: "<value>", least: 1, most: -1, daemon: none, run: (*session).multiset, help: "set several: \"key value key value\""},
		{names: []string{"get"}, args: "[key]", most: 1, daemon: none, run: (*session).get, help: "print a value of module_conf.json"},
		{names: []string{"conf"}, args: "[key] [value]", most: 2, daemon: none, run: (*session).conf, help: "print all values of module_conf.json"},
		{names: []string{"config"}, args: "<key> [value]", least: 1, most: 2, daemon: none, run: (*session).config, help: "print or set a value of module_conf.json"},
		{names: []string{"unset"}, args: "<key>", least: 1, most: 1, daemon: none, run: (*session).unset, help: "remove a value of module_conf.json"},
		{names: []string{"report"}, most: 0, run: (*session).report, help: "print what somebody who helps wants to know"},
		{names: []string{"save", "dump"}, most: 0, strict: true, run: (*session).save, help: "write dump.pm2"},
		{names: []string{"cleardump"}, most: 0, daemon: none, run: (*session).clearDump, help: "empty dump.pm2"},
		{names: []string{"resurrect"}, most: 0, run: (*session).resurrect, help: "start what dump.pm2 has"},
		{names: []string{"send"}, args: "<pm_id> <line>", least: 2, most: 2, run: (*session).send, help: "write a line to an app's stdin"},
		{names: []string{"attach"}, args: "<pm_id> [separator]", least: 1, most: 2, run: (*session).attach, help: "connect this terminal to an app"},
		{names: []string{"startup"}, args: "[platform]", most: 1, daemon: none, run: (*session).startup, help: "start at boot"},
		{names: []string{"unstartup"}, args: "[platform]", most: 1, daemon: none, run: (*session).unstartup, help: "do not start at boot"},
		{names: []string{"ecosystem", "init"}, args: "[mode]", most: 1, daemon: none, run: (*session).ecosystem, help: "write an ecosystem.config.js to fill in"},
		{names: []string{"reset"}, args: "<name|id|all>", least: 1, most: 1, run: (*session).reset, help: "set restart counters to 0"},
		{names: []string{"describe", "desc", "info", "show"}, args: "<name|id>", least: 1, most: 1, run: (*session).describe, help: "print all about an app"},
		{names: []string{"env"}, args: "<id>", least: 1, most: 1, daemon: quiet, run: (*session).env, help: "print the environment of an app"},
		{names: []string{"list", "ls", "l", "ps", "status"}, most: 0, run: (*session).list, help: "list apps"},
		{names: []string{"jlist"}, most: 0, daemon: quiet, run: (*session).jlist, help: "list apps as JSON"},
		{names: []string{"prettylist"}, most: 0, strict: true, daemon: quiet, run: (*session).prettyList, help: "list apps as Node prints objects"},
		{names: []string{"slist", "sysinfos"}, most: 0, daemon: quiet, run: (*session).systemInfo, help: "print figures of the machine"},
		{names: []string{"monit", "imonit", "dashboard", "dash"}, most: 0, run: (*session).monit, help: "watch apps on a full screen"},
		{names: []string{"flush"}, args: "[api]", most: 1, run: (*session).flush, help: "empty log files"},
		{names: []string{"reloadLogs"}, most: 0, run: (*session).reloadLogs, help: "open log files again"},
		{names: []string{"logs", "log"}, args: "[id|name|namespace]", most: -1, run: (*session).logs, help: "print logs and go on with new lines"},
		{names: []string{"kill"}, most: 0, strict: true, run: (*session).kill, help: "stop all apps, forget them, and end the daemon"},
		{names: []string{"serve", "expose"}, args: "[path] [port]", most: 2, run: (*session).serve, help: "serve a folder on a port"},
		{names: []string{"examples"}, most: 0, daemon: none, run: (*session).examples, help: "print examples"},
		{names: []string{runtimeName}, args: "<app|config>", most: -1, daemon: none, run: (*session).runtime, lenient: true},
		{names: []string{devName}, args: "<app|config>", most: -1, daemon: none, run: (*session).dev},
		{names: []string{ecosystem.ServerCommand}, daemon: none, run: func(s *session) error { return cli.ServeFolder(s.ctx, s.out) }}, // where the binary has no other name
	}
	for _, r := range refusals {
		commands = append(commands, command{names: r.names, args: "", most: -1, daemon: none, run: r.refuse})
	}
}

// lookUp finds a command by name or alias; nil: there is none.
func lookUp(name string) *command {
	for i := range commands {
		if slices.Contains(commands[i].names, name) {
			return &commands[i]
		}
	}
	return nil
}

// required is what the n-th argument is called.
func (c *command) required(n int) string {
	return strings.Trim(strings.TrimSuffix(strings.Fields(c.args)[n], "...>"), "<>")
}
