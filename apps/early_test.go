package apps

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// What is left of a body that was answered before it was read is not the next
// request, and does not end more than its connection.
func TestTheRestOfABodyIsNoRequest(t *testing.T) {
	const hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
	for name, begin := range map[string]string{
		"chunked": "POST /early HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n5\nhello\n",
		"counted": "POST /early HTTP/1.1\nHost: h\nContent-Length: 100000\n\nhello",
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var asked []string
			e := rawInstance(t, func(c net.Conn) {
				r := bufio.NewReader(c)
				h, err := readHead(r)
				if err != nil {
					return
				}
				line, _, _ := strings.Cut(h, "\r\n")
				mu.Lock()
				asked = append(asked, line)
				mu.Unlock()
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")
				io.Copy(io.Discard, r)
			})
			done := make(chan bool, 100)
			p := poolOf(e)
			s := listenHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				p.ServeHTTP(w, r)
				done <- true
			}))
			c, r := dialRaw(t, s)
			sendRaw(t, c, "%s", begin)
			within(t, "the answer", done)
			for range 100 { // it may not be taken
				if _, err := io.WriteString(c, hidden); err != nil {
					break
				}
			}
			c.(*net.TCPConn).CloseWrite()
			all, _ := io.ReadAll(r)
			if n := strings.Count(string(all), "HTTP/1.1 "); n != 1 || !strings.HasSuffix(string(all), "early") {
				t.Errorf("%d answers: %q", n, all)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(asked) != 1 || asked[0] != "POST /early HTTP/1.1" {
				t.Errorf("the instance was asked %q", asked)
			}
		})
	}
}
