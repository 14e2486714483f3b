package pm2

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"roost/apps"
	"roost/apps/ecosystem"
	"roost/host"
	"roost/service/control"
)

// serve keeps a server of a folder running, as an app. Its settings are in the
// variables that PM2 has for them.
func (s *session) serve() error {
	if s.has("monitor") {
		return errors.New("--monitor puts a script of PM2's company into the pages; it is not supported")
	}
	path, port := ".", "8080"
	for _, arg := range s.args {
		if _, err := strconv.Atoi(arg); err == nil {
			port = arg
		} else {
			path = arg
		}
	}
	if s.has("port") {
		port = s.text("port")
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 {
		return usageError(fmt.Sprintf("%q is not a port", port))
	}
	if path, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("cannot find the folder: %w", err)
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s", path)
	}
	if s.has("basic-auth-username") != s.has("basic-auth-password") {
		return usageError("--basic-auth-username and --basic-auth-password go together")
	}
	a := apps.Config{
		Name: cmp.Or(s.text("name"), "static-page-server-"+port), Namespace: s.text("namespace"), Cwd: path,
		Env: map[string]string{"PM2_SERVE_PATH": path, "PM2_SERVE_PORT": port, "PM2_SERVE_SPA": strconv.FormatBool(s.has("spa")), "PM2_SERVE_FTP": strconv.FormatBool(s.has("ftp"))},
	}
	if s.has("basic-auth-username") {
		a.Env["PM2_SERVE_BASIC_AUTH"] = "true"
		a.Env["PM2_SERVE_BASIC_AUTH_USERNAME"], a.Env["PM2_SERVE_BASIC_AUTH_PASSWORD"] = s.text("basic-auth-username"), s.text("basic-auth-password")
	}
	keys, err := ecosystem.Server(a.Env)
	if err != nil {
		return err
	}
	raw, err := encoded(keys)
	if err != nil {
		return err
	}
	if problems := host.Set(&a, raw); len(problems) > 0 {
		return host.Problems(problems)
	}
	s.say("Starting %s in fork_mode (1 instance)", programOf(&a))
	if _, err := s.client.Start(s.ctx, control.StartRequest{Config: a, Force: s.has("force")}, nil); err != nil {
		return err
	}
	s.say("Done.")
	s.say("Serving %s on port %s", path, port)
	return s.done()
}

// thisProgram is how this program was called, as a path that runs it under
// the same name again.
func thisProgram() (string, error) {
	path, err := exec.LookPath(os.Args[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", fmt.Errorf("cannot find this program: %w", err)
	}
	return path, nil
}
