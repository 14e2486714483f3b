package pm2

import "roost/service/control"

// refusal of a command: why, and what to do instead.
type refused struct {
	names []string
	why   string
	hint  string
}

func (r refused) refuse(s *session) error {
	return &control.Error{Code: control.CodeInvalid, Message: "pm2 " + s.command + ": " + r.why, Hint: r.hint}
}

// refusals are PM2's commands that mean nothing here.
var refusals = []refused{
	{[]string{"deploy"}, "deployment over ssh with git is not part of this program", "copy the new code to the box, then: pm2 reload <app>"},
	{[]string{"install", "module:install", "module:update", "uninstall", "module:uninstall", "module:generate", "package", "publish", "module:publish"},
		"there are no modules", "log rotation is built in (max_log_size, max_log_files); other programs run as apps: pm2 start"},
	{[]string{"link", "unlink", "monitor", "unmonitor", "open", "plus", "register", "login", "logout"},
		"there is no service in the cloud to report to", "figures are at pm2 monit, pm2 describe and roost status; for Prometheus in /metrics of the control socket"},
	{[]string{"inspect"}, "the debugger is Node's own", "pm2 restart <app> --node-args=--inspect"},
	{[]string{"profile:mem", "profile:cpu"}, "the daemon is no Node program that could be profiled", "profile an app: pm2 restart <app> --node-args=--cpu-prof"},
	{[]string{"logrotate"}, "log files are rotated and compressed by themselves", "set max_log_size and max_log_files of the app"},
	{[]string{"pull", "forward", "backward"}, "version control is git's own", "git pull, then: pm2 reload <app>"},
	{[]string{"deepUpdate"}, "the program does not install itself", "put the new binary in the place of the old one, then: pm2 update"},
	{[]string{"create"}, "there are no boilerplates", "write a server, then: pm2 start server.js; pm2 init writes a configuration file"},
	{[]string{"autoinstall"}, "it does nothing in PM2 either", ""},
	{[]string{"install-otel", "uninstall-otel"}, "nothing is traced", "add OpenTelemetry to the app: node --import"},
	{[]string{"completion"}, "completion is that of the program's own name", "roost completion"},
	{[]string{"web", "interact", "gracefulStop"}, "PM2 itself has removed it", ""},
}
