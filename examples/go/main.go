// Command hello is two programs in one: an HTTP program that listens on the socket it is handed (sd_listen_fds(3)),
// and, called as "hello worker", a worker that only prints.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

func main() {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		work(stop)
		return
	}
	listeners, err := activation.Listeners()
	if err != nil || len(listeners) == 0 || listeners[0] == nil {
		log.Fatalf("no listening socket was handed over (%v): start hello by roost", err)
	}
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			fmt.Fprintf(w, "hello from slot %s to %s\n", os.Getenv("ROOST_SLOT"), r.Header.Get("X-Forwarded-For"))
		}),
	}
	go server.Serve(listeners[0])
	daemon.SdNotify(false, daemon.SdNotifyReady)
	<-stop.Done()
	finish, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	server.Shutdown(finish)
}

func work(stop context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for beats := 1; ; beats++ {
		fmt.Println("beat", beats)
		select {
		case <-tick.C:
		case <-stop.Done():
			return
		}
	}
}
