package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"roost/service/control"
)

const (
	mostRequest   = 1 << 20          // bytes of a request's body
	mostUnread    = 16 << 20         // bytes of a wrong one that are let pass
	bodyTimeout   = 10 * time.Second // a client on this box has its request ready
	writeTimeout  = 2 * time.Second  // after that a client that follows a change is taken for gone
	headerTimeout = 10 * time.Second
	idleTimeout   = 30 * time.Second
)

// api answers the control socket. It owns no state: it asks and tells the
// editor and the box.
type api struct {
	editor  *editor
	box     box
	measure *measurer
	// versions of the apps' packages, as their package.json say
	versions packages
	dirs     Dirs
	pong     control.Pong
	file     string // the config file that the daemon was started with
	cpus     int
	log      *slog.Logger
	// peer tells who is at the other end: peerUser, or a test's.
	peer func(net.Conn) (int, error)
	// shutdown ends the daemon, which may be as a failure so that it is started again; it does not wait.
	shutdown func(again bool)
}

// listenControl opens the control socket, for this user alone. The caller holds
// the lock, so a socket that is there is one of a daemon that has crashed.
func listenControl(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
		os.Remove(path)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("cannot make the control socket private: %w", err)
	}
	return l, nil
}

// serve answers on l until ctx ends, and then lets answers end, at most for
// grace. Changes are made under ctx too: they outlive their clients.
func (a *api) serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	s := &http.Server{
		Handler:           a.routes(ctx),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       a.admit,
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("cannot answer the control socket: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if s.Shutdown(bounded) != nil {
		s.Close()
	}
	<-ended
	return nil
}

// admission is under which a connection's context has who is behind it: nil,
// or the error that refuses it.
type admission struct{}

// admit looks at who connects: this daemon's own user and root may command it.
func (a *api) admit(ctx context.Context, c net.Conn) context.Context {
	var refusal error
	uid, err := a.peer(c)
	if err != nil || uid != os.Geteuid() && uid != 0 {
		refusal = &control.Error{
			Code:    control.CodeForbidden,
			Message: fmt.Sprintf("user %d may not command this roost, which runs as user %d", uid, os.Geteuid()),
			Hint:    "use sudo, or a roost of your own: ROOST_HOME",
		}
		a.log.Warn("refused a connection to the control socket", "uid", uid, "error", err)
	}
	return context.WithValue(ctx, admission{}, &refusal)
}

func (a *api) routes(life context.Context) http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = answerError
	e.Pre(a.guard)

	e.GET("/v1/ping", ask(func(echo.Context) (any, error) { return a.pong, nil }))
	e.GET("/v1/status", ask(a.status))
	e.GET("/v1/ca", ask(func(echo.Context) (any, error) { return a.box.CA() }))
	e.GET("/metrics", a.metrics)
	e.GET("/v1/instances", ask(a.instances))
	e.GET("/v1/instances/:id/environ", ask(a.environ))
	e.GET("/v1/apps", ask(a.all))
	e.GET("/v1/apps/:name", ask(a.describe))
	e.GET("/v1/logs", a.logs)
	e.POST("/v1/apps", tell(life, a.start))
	e.POST("/v1/act", tell(life, a.act))
	e.POST("/v1/scale", tell(life, a.scale))
	e.POST("/v1/input", tell(life, a.input))
	e.POST("/v1/message", tell(life, a.message))
	e.POST("/v1/trigger", tell(life, a.trigger))
	e.GET("/v1/events", a.events)
	e.POST("/v1/apply", tell(life, a.apply))
	e.POST("/v1/sites", tell(life, a.addSite))
	e.DELETE("/v1/sites", tell(life, a.removeSite))
	e.POST("/v1/maintenance", tell(life, a.maintain))
	e.GET("/v1/certificates", ask(a.certificates))
	e.POST("/v1/certificates/renew", tell(life, a.renew))
	e.POST("/v1/shutdown", a.stop)
	return e
}

// guard refuses strangers before anything of a request is looked at, and keeps
// a fault in one answer from being more than that. No answer is for caches.
func (a *api) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		c.Response().Header().Set("Cache-Control", "no-store")
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if p := recover(); p != nil {
				a.log.Error("fault in an answer", "panic", p, "request", c.Request().URL.Path, "stack", string(debug.Stack()))
				err = &control.Error{Code: control.CodeFailed, Message: fmt.Sprintf("a fault in roost: %v", p), Hint: "please report it with what roost.log says"}
			}
		}()
		if refusal, ok := c.Request().Context().Value(admission{}).(*error); !ok || *refusal != nil {
			c.Response().Header().Set("Connection", "close")
			if !ok {
				return errors.New("nobody admitted this connection")
			}
			return *refusal
		}
		return next(c)
	}
}

// ask is a question's handler: one JSON document.
func ask(answer func(echo.Context) (any, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		result, err := answer(c)
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, result)
	}
}

// tell is a change's handler: it reads the request strictly and streams what
// becomes of it. The change is made under life, not under the request.
func tell[Request, Result any](life context.Context, make func(context.Context, asked[Request]) (Result, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		var r Request
		if err := decode(c, &r); err != nil {
			return err
		}
		s := newStream(c.Response())
		defer s.rest() // also after a fault, or it would write when nothing may be written any more
		result, err := make(life, asked[Request]{Request: r, gone: c.Request().Context().Done(), progress: s.progress})
		return s.end(result, err)
	}
}

// asked is a change that somebody asks for.
type asked[Request any] struct {
	Request  Request
	gone     <-chan struct{} // closed when the asker has left
	progress func(string)
}

// decode reads a request's body: one JSON document of known fields.
func decode(c echo.Context, into any) error {
	conn := http.NewResponseController(c.Response())
	conn.SetReadDeadline(time.Now().Add(bodyTimeout))
	defer conn.SetReadDeadline(time.Time{})
	wrong := func(what string) error {
		// Who is still writing would see a broken pipe instead of the answer.
		io.CopyN(io.Discard, c.Request().Body, mostUnread)
		return &control.Error{Code: control.CodeInvalid, Message: "cannot read the request: " + what, Hint: "command and daemon may differ in version: roost version"}
	}
	body := json.NewDecoder(http.MaxBytesReader(c.Response(), c.Request().Body, mostRequest))
	body.DisallowUnknownFields()
	if err := body.Decode(into); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return wrong(fmt.Sprintf("it is larger than %d bytes", mostRequest))
		}
		return wrong(err.Error())
	}
	if _, err := body.Token(); err != io.EOF {
		return wrong("something follows its end")
	}
	return nil
}

// answerError is echo's way to answer what a handler returned as an error.
func answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	e := failed(err)
	if unknown := (*echo.HTTPError)(nil); errors.As(err, &unknown) {
		e = &control.Error{
			Code:    control.CodeNotFound,
			Message: fmt.Sprintf("the control socket has no %s %s", c.Request().Method, c.Request().URL.Path),
			Hint:    "command and daemon may differ in version: roost version",
		}
	}
	c.JSON(statusOfCode(e.Code), control.Event{Error: e})
}

// statusOfCode is the HTTP status for those who look no further.
func statusOfCode(code string) int {
	switch code {
	case control.CodeNotFound:
		return http.StatusNotFound
	case control.CodeInvalid:
		return http.StatusUnprocessableEntity
	case control.CodeConflict:
		return http.StatusConflict
	case control.CodeForbidden:
		return http.StatusForbidden
	case control.CodeStorage:
		return http.StatusInsufficientStorage
	case control.CodeBusy, control.CodeStopping:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
