package apps

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"roost/internal/httplint"
)

// headSeen sends a raw head through a pool and returns the head that the
// instance gets, by line.
func headSeen(t *testing.T, head string) []string {
	t.Helper()
	seen := make(chan string, 1)
	e := rawInstance(t, func(c net.Conn) {
		h, _ := readHead(bufio.NewReader(c))
		seen <- h
		io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
	})
	s := listenHost(t, poolOf(e))
	c, r := dialRaw(t, s)
	sendRaw(t, c, "%s\n", head)
	if h, err := readHead(r); err != nil || !strings.HasPrefix(h, "HTTP/1.1 204") {
		t.Fatalf("answer %q, %v", h, err)
	}
	return strings.Split(strings.TrimSuffix(within(t, "the instance's head", seen), "\r\n\r\n"), "\r\n")
}

func TestTheInstanceSeesWhoAsksAndNothingThatTheClientSaysAboutIt(t *testing.T) {
	ours := []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: example.com:8080", "X-Forwarded-Proto: http", "X-Real-Ip: 127.0.0.1"}
	for _, c := range []struct {
		name, fields string
		want         []string // besides the request line, Host and ours
	}{
		{"plain", "Accept: a/b\nCookie: c=1\nAuthorization: Basic x\n", []string{"Accept: a/b", "Cookie: c=1", "Authorization: Basic x"}},
		{"same field twice", "Accept: a\nAccept: b\n", []string{"Accept: a", "Accept: b"}},
		{"user agent", "User-Agent: curl/8\n", []string{"User-Agent: curl/8"}},
		{"spoofed", "X-Forwarded-For: 6.6.6.6\nX-Forwarded-Host: evil\nX-Forwarded-Proto: https\nX-Forwarded-Port: 1\nX-Forwarded-Prefix: /x\nX-Forwarded: for=6.6.6.6\nX-Real-IP: 6.6.6.6\nForwarded: for=6.6.6.6\nProxy: http://evil\nX-Client-Subject: CN=root\n", nil},
		{"spoofed by alias", "X_Forwarded_For: 6.6.6.6\nx_forwarded-for: 6.6.6.6\nX.Forwarded.For: 6.6.6.6\nX-Real_IP: 6.6.6.6\nX_FORWARDED_PROTO: https\nX_Client_Subject: CN=root\n", nil},
		{"framing by alias", "Content_Length: 5\nTransfer_Encoding: chunked\nConnection_: x\n", []string{"Connection_: x"}},
		{"other aliases pass", "My_Field: 1\n", []string{"My_field: 1"}},
		{"hop by hop", "Keep-Alive: timeout=9\nProxy-Connection: keep-alive\nProxy-Authorization: x\nConnection: keep-alive\nTE: gzip\nTrailer: A\n", nil},
		{"named by Connection", "Connection: close, X-Mine\nX-Mine: 1\nx-other: 2\n", []string{"X-Other: 2"}},
		{"ours named by Connection", "Connection: X-Forwarded-For, X-Real-Ip\nConnection: x-forwarded-proto, Host\n", nil},
		{"trailers wanted", "TE: trailers, deflate\n", []string{"Te: trailers"}},
		{"h2c refused", "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\n", nil},
		{"unknown upgrade refused", "Connection: Upgrade\nUpgrade: TLS/1.0\n", nil},
		{"upgrade that Connection does not name", "Upgrade: websocket\n", nil},
		{"two upgrades", "Connection: upgrade\nUpgrade: websocket\nUpgrade: h2c\n", nil},
		{"websocket", "Connection: keep-alive, Upgrade\nUpgrade: WebSocket\nSec-WebSocket-Version: 13\n", []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-Websocket-Version: 13"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := headSeen(t, "GET /p HTTP/1.1\nHost: example.com:8080\n"+c.fields)
			if got[0] != "GET /p HTTP/1.1" || got[1] != "Host: example.com:8080" {
				t.Errorf("begins %q", got[:2])
			}
			want := map[string]int{}
			for _, line := range append(c.want, ours...) {
				want[line]++
			}
			for _, line := range got[2:] {
				if want[line]--; want[line] < 0 {
					t.Errorf("%q: not wanted", line)
				}
			}
			for line, n := range want {
				if n > 0 {
					t.Errorf("%q: missing in\n%s", line, strings.Join(got, "\n"))
				}
			}
		})
	}
}

func TestTheInstanceIsToldWhomACheckedCertificateIsFor(t *testing.T) {
	for _, c := range []struct {
		name    pkix.Name
		checked bool
		want    string
	}{
		{pkix.Name{CommonName: "ann", Organization: []string{"Example, Inc."}}, true, `CN=ann,O=Example\, Inc.`},
		{pkix.Name{CommonName: "a\r\nX-Real-Ip: 6.6.6.6"}, true, `CN=a\0D\0AX-Real-Ip: 6.6.6.6`},
		{pkix.Name{CommonName: "Zoë"}, true, `CN=Zo\C3\AB`},
		{pkix.Name{CommonName: "ann"}, false, ""}, // shown, and nobody looked at it
	} {
		cert := &x509.Certificate{Subject: c.name}
		r := &http.Request{Method: "GET", URL: &url.URL{Path: "/"}, Header: http.Header{"X-Client-Subject": {"CN=root"}}, TLS: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}}
		if c.checked {
			r.TLS.VerifiedChains = [][]*x509.Certificate{{cert}}
		}
		head, _ := appendHead(nil, r, false)
		_, got, _ := strings.Cut(string(head), "\r\nX-Client-Subject: ")
		if got, _, _ = strings.Cut(got, "\r\n"); got != c.want || strings.Count(string(head), "X-Client-Subject") > 1 {
			t.Errorf("%v: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTheTargetPassesAsItCame(t *testing.T) {
	for _, target := range []string{
		"/", "/?", "/a/b?x=1;y=2&z=%zz&=&&", "/a%2Fb/%C3%A9?q=a+b%20c", "//a//b", "/a;b=c/d", "/%61?%61", "/a/../b", "/?a?b?c", "/~u/(x)!*'$&,=:@",
	} {
		if got := headSeen(t, "GET "+target+" HTTP/1.1\nHost: h\n")[0]; got != "GET "+target+" HTTP/1.1" {
			t.Errorf("%s arrives as %q", target, got)
		}
	}
}

func TestAnAbsoluteTargetNamesTheHostAndIsNotPassedOn(t *testing.T) {
	got := headSeen(t, "GET http://user:pw@example.com/x?y HTTP/1.1\nHost: other\n")
	if got[0] != "GET /x?y HTTP/1.1" || got[1] != "Host: example.com" {
		t.Errorf("%q", got)
	}
}

func TestConnectIsRefused(t *testing.T) {
	s := listenHost(t, poolOf(runInstance(t, answerName("a"))))
	c, r := dialRaw(t, s)
	sendRaw(t, c, "CONNECT example.com:443 HTTP/1.1\nHost: example.com:443\n\n")
	if h, err := readHead(r); err != nil || !strings.HasPrefix(h, "HTTP/1.1 405") {
		t.Errorf("%q, %v", h, err)
	}
}

func TestClientIPLosesPortZoneAndMapping(t *testing.T) {
	for remote, want := range map[string]string{
		"1.2.3.4:5":           "1.2.3.4",
		"[::ffff:1.2.3.4]:5":  "1.2.3.4",
		"[2001:db8::1]:5":     "2001:db8::1",
		"[fe80::1%eth0]:5":    "fe80::1",
		"@":                   "",
		"":                    "",
		"/run/some.sock":      "",
		"not an address:1234": "",
	} {
		if got := clientIP(remote); got.IsValid() != (want != "") || got.IsValid() && got.String() != want {
			t.Errorf("%q: %v, want %q", remote, got, want)
		}
	}
}

func TestTheAnswersHeadLosesWhatConcernsTheConnection(t *testing.T) {
	e := rawInstance(t, func(c net.Conn) {
		readHead(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-End: 1\r\n\r\nok")
	})
	p := poolOf(e)
	s := listenHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Host", "set before")
		w.Header().Set("Set-Cookie", "host=1")
		p.ServeHTTP(w, r)
	}))
	res, err := httplint.Client(t, s).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for _, gone := range []string{"Keep-Alive", "Connection", "X-Hop", "Proxy-Authenticate", "Upgrade"} {
		if v := res.Header.Values(gone); len(v) > 0 {
			t.Errorf("%s: %q", gone, v)
		}
	}
	if got := strings.Join(res.Header["Set-Cookie"], " "); got != "host=1 a=1 b=2" {
		t.Errorf("Set-Cookie: %s", got)
	}
	if res.Header.Get("X-End") != "1" || res.Header.Get("X-Host") != "set before" || res.ContentLength != 2 {
		t.Errorf("%v, length %d", res.Header, res.ContentLength)
	}
}

func TestOfATrailerThatIsSentGoesOnWhatWasAnnouncedAndMayBeSaid(t *testing.T) {
	seen := make(chan string, 1)
	e := rawInstance(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		head, _ := readHead(r)
		body, _ := readHead(r) // its last line is empty, too
		seen <- head + body
		io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
	})
	s := listenHost(t, poolOf(e))
	c, r := dialRaw(t, s)
	sendRaw(t, c, "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\nTrailer: X-Sum, X-Forwarded-For, Connection\n\n2\nhi\n0\nX-Sum: 1\nX-Forwarded-For: 6.6.6.6\nConnection: close\nContent-Length: 7\nX-Other: 2\nHost: evil\n\n")
	if h, err := readHead(r); !strings.HasPrefix(h, "HTTP/1.1 204") {
		t.Fatalf("%q, %v", h, err)
	}
	got := within(t, "what the instance gets", seen)
	if head, body, _ := strings.Cut(got, "\r\n\r\n"); body != "2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n" || !strings.Contains(head+"\r\n", "\r\nTrailer: X-Sum\r\n") {
		t.Errorf("%q", got)
	}
}
