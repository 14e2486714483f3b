package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"roost/service/control"
	"roost/static"

	"github.com/spf13/pflag"
)

// devFolder is how a folder is served to who works on it.
type devFolder struct {
	host, spa           bool
	htmlHandling, rules string
}

func (d *devFolder) define(f *pflag.FlagSet) {
	f.BoolVar(&d.host, "host", false, "show a folder on the network, not to this machine alone")
	f.BoolVar(&d.spa, "spa", false, "answer unknown pages of a folder with /index.html")
	f.StringVar(&d.htmlHandling, "html-handling", "", "`MODE` of the paths of a folder's pages (default auto-trailing-slash)")
	f.StringVar(&d.rules, "rules", "", "read a folder's _redirects and _headers as cloudflare (default), netlify, or off")
}

// usualDevPort is the first that is tried when none is asked for: pages that
// are open find the next run there.
const usualDevPort = 8080

// devFolder serves the folder until ctx ends.
func (r *runner) devFolder(ctx context.Context, d devFolder) error {
	port, given, err := r.flags.takePort()
	if err != nil {
		return err
	}
	if r.flags.changed() || len(r.args) > 0 || r.raw || r.json || r.exit {
		return usage("flags and arguments of apps do not go with the folder "+r.word, "--port, --host, --spa, --html-handling and --rules do")
	}
	root, err := filepath.Abs(r.word)
	if err != nil {
		return fmt.Errorf("cannot find %s: %w", r.word, err)
	}
	config := static.Config{Root: root, Serving: static.Serving{SPA: d.spa, HTMLHandling: d.htmlHandling, Rules: d.rules}}
	for _, wrong := range static.Validate(config) {
		return usage(wrong.What, "%s", wrong.Hint)
	}
	folder, err := static.OpenDev(config, slog.New(newWords(r.console, slog.LevelWarn)))
	if err != nil {
		return err
	}
	defer folder.Close()
	listener, err := d.listen(port, given)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	server := &http.Server{
		Handler: folder, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, // pages that listen for events let go when it ends
	}
	if !d.host {
		server.Handler = forThisMachine(folder)
	}
	ended := make(chan error, 2)
	go func() { ended <- folder.Run(ctx) }()
	go func() { ended <- server.Serve(listener) }()
	r.say("serves %s; pages reload when files change; Ctrl-C ends it", r.word)
	for _, at := range d.addresses(listener.Addr()) {
		fmt.Fprintln(r.out, at)
	}
	select {
	case <-ctx.Done():
	case err = <-ended:
		ended <- nil
	}
	cancel()
	rest, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	if server.Shutdown(rest) != nil { // who takes longer is cut
		server.Close()
	}
	<-ended
	<-ended
	return err
}

// listen takes the port that was asked for, else the usual one or the first free one above.
func (d devFolder) listen(port int, given bool) (net.Listener, error) {
	address := "127.0.0.1"
	if d.host {
		address = ""
	}
	tries := 1
	if !given {
		port, tries = usualDevPort, 100
	}
	for i := 0; ; i++ {
		l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port+i)))
		if err == nil {
			return l, nil
		}
		if i == tries-1 {
			return nil, &control.Error{
				Code: control.CodeFailed, Message: "cannot serve the folder: " + err.Error(),
				Hint: "choose another port: --port 0 takes any that is free",
			}
		}
	}
}

// addresses are where the folder can be seen, this machine's own first.
func (d devFolder) addresses(at net.Addr) []string {
	_, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return nil
	}
	all := []string{"http://localhost:" + port + "/"}
	if !d.host {
		return all
	}
	networks, _ := net.InterfaceAddrs()
	for _, network := range networks {
		if n, ok := network.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			all = append(all, "http://"+net.JoinHostPort(n.IP.String(), port)+"/")
		}
	}
	return all
}

// forThisMachine answers only requests for names of this machine: a page of
// some other site, whose name was made to lead here, must not read the folder.
func forThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Host
		if host, _, err := net.SplitHostPort(name); err == nil {
			name = host
		}
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		ip := net.ParseIP(strings.Trim(name, "[]"))
		if name != "localhost" && !strings.HasSuffix(name, ".localhost") && (ip == nil || !ip.IsLoopback()) {
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "only localhost is answered; roost dev --host shows the folder to others", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
