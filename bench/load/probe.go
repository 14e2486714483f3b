//go:build linux

package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// probe makes one request as wrk makes it, and returns how many bytes answered it. The answer must be right: 200, not compressed, and as long as it
// should be.
func probe(j job) (int, error) {
	at, err := url.Parse(j.url)
	if err != nil {
		return 0, err
	}
	var conn net.Conn
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if at.Scheme == "https" {
		conn, err = tls.DialWithDialer(dialer, "tcp", at.Host, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}) // the peer is ours
	} else {
		conn, err = dialer.Dial("tcp", at.Host)
	}
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	head := "GET " + at.RequestURI() + " HTTP/1.1\r\nHost: " + at.Host + "\r\n"
	if j.close {
		head += "Connection: close\r\n"
	}
	if _, err := io.WriteString(conn, head+"\r\n"); err != nil {
		return 0, err
	}
	read := &counter{Reader: conn}
	res, err := http.ReadResponse(bufio.NewReader(read), nil)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	size, err := io.Copy(io.Discard, res.Body)
	switch {
	case err != nil:
		return 0, err
	case res.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("%s answers %s", j.url, res.Status)
	case size != int64(j.size):
		return 0, fmt.Errorf("%s answers %d bytes, not %d", j.url, size, j.size)
	case res.Header.Get("Content-Encoding") != "":
		return 0, fmt.Errorf("%s answers compressed", j.url)
	}
	return read.n, nil
}

// counter counts what is read.
type counter struct {
	io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}
