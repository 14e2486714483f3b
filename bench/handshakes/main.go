// Command handshakes does a number of TLS handshakes, one after another by each
// of some clients, each with a request of its own, and says how long that took
// in seconds:
//
//	handshakes [-n N] [-clients N] [-tls12] [-x25519] [-resume] ROOT.pem URL
//
// With -resume all but the first of each client take up the session before;
// without, none does. Anything else ends it with an error.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"
)

func main() {
	log.SetFlags(0)
	n := flag.Int("n", 1000, "handshakes of all clients together")
	clients := flag.Int("clients", 8, "at the same time")
	old := flag.Bool("tls12", false, "TLS 1.2, not 1.3")
	plain := flag.Bool("x25519", false, "agree on keys by X25519, not by X25519MLKEM768 where the server knows it")
	resume := flag.Bool("resume", false, "take up sessions")
	flag.Parse()
	if flag.NArg() != 2 {
		log.Fatal("usage: handshakes [-n N] [-clients N] [-tls12] [-x25519] [-resume] ROOT.pem URL")
	}
	text, err := os.ReadFile(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	at, err := url.Parse(flag.Arg(1))
	if err != nil {
		log.Fatal(err)
	}
	base := &tls.Config{ServerName: "localhost", RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	if !base.RootCAs.AppendCertsFromPEM(text) {
		log.Fatal(flag.Arg(0), " holds no certificate")
	}
	if *old {
		base.MinVersion, base.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	}
	if *plain {
		base.CurvePreferences = []tls.CurveID{tls.X25519}
	}
	failed := make(chan error, *clients)
	var all sync.WaitGroup
	begun := time.Now()
	for range *clients {
		all.Go(func() {
			config := base.Clone()
			if *resume {
				config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			}
			for i := range *n / *clients {
				if err := visit(at, config, *resume && i > 0); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		log.Fatal("handshakes: ", err)
	default:
	}
	fmt.Printf("%.3f\n", time.Since(begun).Seconds())
}

// visit does one handshake and one request, and reads to the end, with the ticket.
func visit(at *url.URL, config *tls.Config, resumes bool) error {
	raw, err := net.DialTimeout("tcp", at.Host, 10*time.Second)
	if err != nil {
		return err
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(10 * time.Second))
	conn := tls.Client(raw, config)
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", at.Path); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	switch state := conn.ConnectionState(); {
	case res.StatusCode != http.StatusOK:
		return errors.New(res.Status)
	case state.DidResume != resumes:
		return fmt.Errorf("resumed: %v, want %v", state.DidResume, resumes)
	case state.Version != config.MinVersion:
		return fmt.Errorf("%s", tls.VersionName(state.Version))
	}
	return nil
}
