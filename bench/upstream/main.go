// Command upstream is an app that costs next to nothing, to be forwarded to: it answers every request without a body by a dozen bytes.
//
//	upstream tcp 127.0.0.1:9000
//	upstream unix /run/app.sock
//	upstream fd 3                  a listening socket that it is started with
package main

import (
	"bytes"
	"log"
	"net"
	"os"
	"strconv"
)

var (
	answer = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nhello, world\n")
	blank  = []byte("\r\n\r\n")
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: upstream tcp|unix|fd ADDRESS")
	}
	l, err := listen(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal("upstream: ", err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal("upstream: ", err)
		}
		go serve(c)
	}
}

func listen(network, address string) (net.Listener, error) {
	if network != "fd" {
		return net.Listen(network, address)
	}
	fd, err := strconv.ParseUint(address, 10, 16)
	if err != nil {
		return nil, err
	}
	return net.FileListener(os.NewFile(uintptr(fd), "listener"))
}

// serve answers each head that comes, in one write each, and closes the connection behind the head that asks for it.
func serve(c net.Conn) {
	defer c.Close()
	buf, n := make([]byte, 16<<10), 0
	for n < len(buf) {
		k, err := c.Read(buf[n:])
		if err != nil {
			return
		}
		n += k
		for {
			end := bytes.Index(buf[:n], blank)
			if end < 0 {
				break
			}
			last := closes(buf[:end])
			if _, err := c.Write(answer); err != nil || last {
				return
			}
			n = copy(buf, buf[end+len(blank):n])
		}
	}
}

// closes reports whether a head asks for the end of its connection, in one of the two ways that proxies write it.
func closes(head []byte) bool {
	return bytes.Contains(head, []byte("\r\nConnection: close")) || bytes.Contains(head, []byte("\r\nconnection: close"))
}
