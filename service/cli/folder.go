package cli

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"roost/apps/ecosystem"
	"roost/static"
)

// newFolderServer is what apps run that serve a folder: "pm2 serve", and
// "static" and the script "serve" in PM2's files.
func newFolderServer(c *console) *cobra.Command {
	return &cobra.Command{
		Use: ecosystem.ServerCommand, Hidden: true, Args: need(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return ServeFolder(cmd.Context(), c.out) },
	}
}

// ServeFolder serves a folder as the variables PM2_SERVE_* say, which are
// PM2's but for PM2_SERVE_SYMLINKS, until ctx ends: on the sockets that it was given, or else on its port.
func ServeFolder(ctx context.Context, out io.Writer) error {
	config, err := servedFolder()
	if err != nil {
		return err
	}
	folder, err := static.Open(config, static.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	defer folder.Close()
	var handler http.Handler = folder
	if page := setting("HOMEPAGE"); page != "" {
		handler = homepage(handler, page)
	}
	if setting("BASIC_AUTH") == "true" {
		user, password := setting("BASIC_AUTH_USERNAME"), setting("BASIC_AUTH_PASSWORD")
		if user == "" || password == "" { // which who says nothing would match
			return usage("PM2_SERVE_BASIC_AUTH is true without a user or a password", "set PM2_SERVE_BASIC_AUTH_USERNAME and PM2_SERVE_BASIC_AUTH_PASSWORD")
		}
		handler = guarded(handler, user, password)
	}
	listeners, err := activation.Listeners()
	if err != nil {
		return fmt.Errorf("cannot take the sockets: %w", err)
	}
	at := net.JoinHostPort(setting("HOST"), cmp.Or(setting("PORT"), ecosystem.UsualPort))
	if len(listeners) == 0 {
		l, err := net.Listen("tcp", at)
		if err != nil {
			return fmt.Errorf("cannot listen: %w", err)
		}
		listeners = append(listeners, l)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	ended := make(chan error, 1+len(listeners))
	go func() { ended <- folder.Run(ctx) }()
	for _, l := range listeners {
		go func() { ended <- server.Serve(l) }()
	}
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		return fmt.Errorf("cannot say that it is ready: %w", err)
	}
	fmt.Fprintf(out, "Exposing %s directory on %s\n", config.Root, at)
	select {
	case <-ctx.Done():
		rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), 8*time.Second)
		defer cancel()
		_ = server.Shutdown(rest) // who takes longer is cut
		return nil
	case err := <-ended:
		return err
	}
}

// setting is what a variable of PM2's says.
func setting(name string) string { return os.Getenv("PM2_SERVE_" + name) }

func servedFolder() (static.Config, error) {
	config := static.Config{Root: cmp.Or(setting("PATH"), "."), Serving: static.Serving{
		SPA: setting("SPA") == "true", Browse: setting("FTP") == "true", HTMLHandling: static.PlainPaths, Symlinks: setting("SYMLINKS"),
	}}
	for _, c := range static.Validate(config) {
		if c.Key == "symlinks" {
			return config, usage("PM2_SERVE_SYMLINKS: "+c.What, "%s", c.Hint)
		}
	}
	return config, nil
}

// homepage answers "/" with another page than index.html.
func homepage(next http.Handler, page string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			at := *r.URL
			at.Path, at.RawPath = "/"+strings.TrimLeft(page, "/"), ""
			to := *r
			to.URL, r = &at, &to
		}
		next.ServeHTTP(w, r)
	})
}

// guarded asks for a user and a password (RFC 7617).
func guarded(next http.Handler, user, password string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, p, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(u), []byte(user))&subtle.ConstantTimeCompare([]byte(p), []byte(password)) != 1 {
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("WWW-Authenticate", `Basic realm="Restricted", charset="UTF-8"`)
			http.Error(w, "401 unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
