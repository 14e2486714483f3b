// Command clock tells the time over HTTP. It listens where PORT says, as every hosted program may.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	server := &http.Server{
		Addr:              net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")),
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			fmt.Fprintf(w, "%s, says instance %s (pid %d)\n", time.Now().Format(time.RFC1123), os.Getenv("NODE_APP_INSTANCE"), os.Getpid())
		}),
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	log.Println("clock listens on", server.Addr)
	select {
	case err := <-ended:
		log.Fatal(err)
	case <-stop.Done():
		finish, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(finish); err != nil {
			log.Fatal(err)
		}
	}
}
