// Command idle opens connections to a server on the loopback, asks once on
// each, says how many there are, and keeps them until its input ends:
//
//	idle [-n N] [-root ROOT.pem] URL
//
// It comes from a hundred addresses, as servers have limits for one. With
// HTTPS it speaks HTTP/1.1 above TLS 1.3. Anything but a 200 ends it with an error.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"sync"
	"time"
)

const clients = 8 // that open connections at the same time

func main() {
	log.SetFlags(0)
	n := flag.Int("n", 10_000, "connections")
	root := flag.String("root", "", "certificate of the server, in PEM")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: idle [-n N] [-root ROOT.pem] URL")
	}
	at, err := url.Parse(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{ServerName: at.Hostname(), RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	if *root != "" {
		text, err := os.ReadFile(*root)
		if err != nil {
			log.Fatal(err)
		}
		if !config.RootCAs.AppendCertsFromPEM(text) {
			log.Fatal(*root, " holds no certificate")
		}
	}
	kept := make([]net.Conn, *n)
	var all sync.WaitGroup
	for first := range clients {
		all.Go(func() {
			for i := first; i < *n; i += clients {
				c, err := visit(at, config, i)
				if err != nil {
					log.Fatalf("idle: connection %d: %v", i, err)
				}
				kept[i] = c
			}
		})
	}
	all.Wait()
	fmt.Println(*n)
	_, _ = io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(kept)
}

// visit opens connection i and asks once on it.
func visit(at *url.URL, config *tls.Config, i int) (net.Conn, error) {
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i%100))}}
	c, err := from.Dial("tcp", at.Host)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	_ = c.(*net.TCPConn).SetLinger(0) // its port is free at once when all is over
	if at.Scheme == "https" {
		c = tls.Client(c, config)
	}
	request, err := http.NewRequest(http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	if err := request.Write(c); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), request)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK || answer.Close {
		return nil, fmt.Errorf("%s, to be closed: %v", answer.Status, answer.Close)
	}
	return c, nil
}
