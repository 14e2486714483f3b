package pm2

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"roost/apps"
	"roost/service/control"
	"roost/static"

	"github.com/google/shlex"
)

// staticServer is the command that serve's apps run.
const staticServer = "_serve"

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
	program, err := thisProgram()
	if err != nil {
		return err
	}
	a := apps.Config{
		Name: s.text("name"), Namespace: s.text("namespace"), Cwd: path, Port: n,
		Command: quoteWord(program) + " " + staticServer,
		Env:     map[string]string{"PM2_SERVE_PATH": path, "PM2_SERVE_PORT": port, "PM2_SERVE_SPA": strconv.FormatBool(s.has("spa")), "PM2_SERVE_FTP": strconv.FormatBool(s.has("ftp"))},
	}
	if a.Name == "" {
		a.Name = "static-page-server-" + port
	}
	if s.has("basic-auth-username") != s.has("basic-auth-password") {
		return usageError("--basic-auth-username and --basic-auth-password go together")
	}
	if s.has("basic-auth-username") {
		a.Env["PM2_SERVE_BASIC_AUTH"] = "true"
		a.Env["PM2_SERVE_BASIC_AUTH_USERNAME"], a.Env["PM2_SERVE_BASIC_AUTH_PASSWORD"] = s.text("basic-auth-username"), s.text("basic-auth-password")
	}
	s.say("Starting %s in fork_mode (1 instance)", program)
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

// quoteWord writes a word so that it is read back as one.
func quoteWord(word string) string {
	if words, err := shlex.Split(word); err == nil && len(words) == 1 && words[0] == word {
		return word
	}
	return strconv.Quote(word)
}

// staticServer is the server itself, until a signal ends it.
func (s *session) staticServer() error {
	setting := func(name, usual string) string {
		if v := os.Getenv("PM2_SERVE_" + name); v != "" {
			return v
		}
		return usual
	}
	folder, err := static.Open(static.Config{
		Root: setting("PATH", "."), SPA: setting("SPA", "") == "true", Browse: setting("FTP", "") == "true",
	}, static.Options{})
	if err != nil {
		return err
	}
	defer folder.Close()
	listener, err := net.Listen("tcp", net.JoinHostPort(setting("HOST", ""), setting("PORT", "8080")))
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	var handler http.Handler = folder
	if setting("BASIC_AUTH", "") == "true" {
		handler = guarded(folder, setting("BASIC_AUTH_USERNAME", ""), setting("BASIC_AUTH_PASSWORD", ""))
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	ended := make(chan error, 2)
	go func() { ended <- folder.Run(s.ctx) }()
	go func() { ended <- server.Serve(listener) }()
	fmt.Fprintf(s.out, "Exposing %s directory on %s\n", setting("PATH", "."), listener.Addr())
	select {
	case <-s.ctx.Done():
		rest, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		defer cancel()
		_ = server.Shutdown(rest) // who takes longer is cut
		return nil
	case err := <-ended:
		return err
	}
}

// guarded asks for a user and a password (RFC 7617).
func guarded(next http.Handler, user, password string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, p, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(u), []byte(user))&subtle.ConstantTimeCompare([]byte(p), []byte(password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="Restricted", charset="UTF-8"`)
			http.Error(w, "401 unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
