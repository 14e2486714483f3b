package apps

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"roost/internal/httplint"
)

func TestEventsArriveWhenTheyAreSent(t *testing.T) {
	for _, kind := range []string{"text/event-stream", "text/plain", "text/event-stream; charset=utf-8"} {
		t.Run(kind, func(t *testing.T) {
			next := make(chan string)
			e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", kind)
				for {
					http.NewResponseController(w).Flush()
					text, ok := <-next
					if !ok {
						return
					}
					io.WriteString(w, text)
				}
			})
			s := listenHost(t, poolOf(e))
			res, err := httplint.Client(t, s).Get(s.URL) // returns when the head has come, before any body
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			r := bufio.NewReader(res.Body)
			for i := range 5 {
				sent := fmt.Sprintf("data: %d\n", i)
				next <- sent
				if got, err := r.ReadString('\n'); got != sent || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			}
			close(next)
			if rest, err := io.ReadAll(r); len(rest) != 0 || err != nil {
				t.Errorf("%q, %v", rest, err)
			}
		})
	}
}

func TestACountedAnswerThatComesSlowlyIsNotHeldBack(t *testing.T) {
	next := make(chan string)
	e := rawInstance(t, func(c net.Conn) {
		readHead(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
		for text := range next {
			io.WriteString(c, text)
		}
	})
	s := listenHost(t, poolOf(e))
	res, err := httplint.Client(t, s).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for _, sent := range []string{"a", "bcd", "ef"} {
		next <- sent
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != sent {
			t.Errorf("%q, %v", got, err)
		}
	}
	close(next)
}

func TestBothSidesTalkAtOnce(t *testing.T) {
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		rc.EnableFullDuplex()
		lines := bufio.NewScanner(r.Body)
		rc.Flush()
		for lines.Scan() {
			fmt.Fprintln(w, "echo", lines.Text())
			rc.Flush()
		}
	})
	s := listenHost(t, poolOf(e))
	in, out := io.Pipe()
	r, _ := http.NewRequest("POST", s.URL, in)
	res, err := httplint.Client(t, s).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got := bufio.NewReader(res.Body)
	for i := range 5 {
		fmt.Fprintln(out, i)
		if line, err := got.ReadString('\n'); line != fmt.Sprintln("echo", i) || err != nil {
			t.Errorf("%q, %v", line, err)
		}
	}
	out.Close()
	if rest, err := io.ReadAll(got); len(rest) != 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestAnAnswerBeforeTheBodyHasBeenReadArrives(t *testing.T) {
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		io.WriteString(w, "no")
	})
	s := listenHost(t, poolOf(e))
	c, r := dialRaw(t, s)
	sendRaw(t, c, "POST / HTTP/1.1\nHost: h\nContent-Length: 1000000\n\nbegin")
	if h, err := readHead(r); !strings.HasPrefix(h, "HTTP/1.1 413") {
		t.Errorf("%q, %v", h, err)
	}
	eventually(t, "nothing in flight", func() bool { return e.InFlight() == 0 })
}

func TestTenMegabytesPassUpAndDown(t *testing.T) {
	data := make([]byte, 10<<20)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(data)
	sum := sha256.Sum256(data)
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			h := sha256.New()
			n, err := io.Copy(h, r.Body)
			fmt.Fprintf(w, "%d %v %x", n, err, h.Sum(nil))
			return
		}
		if r.URL.Path == "/counted" {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		}
		w.Write(data)
	})
	s := listenHost(t, poolOf(e))
	want := fmt.Sprintf("%d <nil> %x", len(data), sum)
	for name, body := range map[string]io.Reader{"counted": bytes.NewReader(data), "chunked": opaqueReader{bytes.NewReader(data)}} {
		if status, got := ask(t, s, "POST", "/", body); status != 200 || got != want {
			t.Errorf("up, %s: %d %q", name, status, got)
		}
		if _, got := ask(t, s, "GET", "/"+name, nil); sha256.Sum256([]byte(got)) != sum {
			t.Errorf("down, %s: %d bytes", name, len(got))
		}
	}
}

func TestExpectContinueIsAnsweredWhenTheInstanceWantsTheBody(t *testing.T) {
	read := make(chan bool, 1)
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		if <-read {
			io.Copy(w, r.Body)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	s := listenHost(t, poolOf(e))
	c, r := dialRaw(t, s)
	ask := "POST / HTTP/1.1\nHost: h\nContent-Length: 2\nExpect: 100-continue\n\n"
	read <- true
	sendRaw(t, c, "%s", ask)
	if h, _ := readHead(r); h != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Fatalf("%q", h)
	}
	sendRaw(t, c, "hi")
	if h, err := readHead(r); !strings.HasPrefix(h, "HTTP/1.1 200") {
		t.Fatalf("%q, %v", h, err)
	}

	c, r = dialRaw(t, s)
	read <- false
	sendRaw(t, c, "%s", ask)
	if h, err := readHead(r); !strings.HasPrefix(h, "HTTP/1.1 401") {
		t.Errorf("%q, %v", h, err)
	}
}

func TestEarlyHintsPass(t *testing.T) {
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		io.WriteString(w, "page")
	})
	p := poolOf(e)
	s := listenHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Host", "1")
		p.ServeHTTP(w, r)
	}))
	var hints []string
	r, _ := http.NewRequest("GET", s.URL, nil)
	r = r.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
			hints = append(hints, fmt.Sprint(status, h.Get("Link")))
			return nil
		},
	}))
	res, err := httplint.Client(t, s).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if len(hints) != 1 || hints[0] != "103</style.css>; rel=preload" {
		t.Errorf("hints %q", hints)
	}
	if res.Header.Get("Link") != "" || res.Header.Get("X-Host") != "1" {
		t.Errorf("the answer's head: %v", res.Header)
	}
}

func TestTrailersPassBothWays(t *testing.T) {
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(200)
		fmt.Fprintf(w, "%s %s", body, r.Trailer.Get("X-Up"))
		w.Header().Set("X-Sum", "announced")
		if r.URL.Path == "/more" {
			w.Header().Set(http.TrailerPrefix+"X-More", "not announced")
		}
	})
	s := listenHost(t, poolOf(e))
	for _, path := range []string{"/", "/more"} {
		r, _ := http.NewRequest("POST", s.URL+path, opaqueReader{strings.NewReader("body")})
		r.Trailer = http.Header{"X-Up": {"up"}}
		res, err := httplint.Client(t, s).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if string(text) != "body up" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		if res.Trailer.Get("X-Sum") != "announced" || (res.Trailer.Get("X-More") != "") != (path == "/more") {
			t.Errorf("%s: trailer %v", path, res.Trailer)
		}
	}
}

func TestAnswersWithoutABodyKeepTheirLength(t *testing.T) {
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/head":
			w.Header().Set("Content-Length", "1234")
		case "/not-modified":
			w.Header().Set("Etag", `"x"`)
			w.WriteHeader(http.StatusNotModified)
		case "/empty":
			w.Header().Set("Content-Length", "0")
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		}
	})
	s := listenHost(t, poolOf(e))
	for _, c := range []struct {
		method, path string
		status       int
		length       int64
	}{
		{"HEAD", "/head", 200, 1234}, {"GET", "/not-modified", 304, 0}, {"GET", "/empty", 200, 0}, {"GET", "/none", 204, 0},
	} {
		r, _ := http.NewRequest(c.method, s.URL+c.path, nil)
		res, err := httplint.Client(t, s).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.status || res.ContentLength != c.length {
			t.Errorf("%s: %d, length %d", c.path, res.StatusCode, res.ContentLength)
		}
	}
}

func TestAnInstanceOnTCPIsReached(t *testing.T) {
	e := serveInstance(t, listenTCP(t), answerName("tcp"))
	if status, text := ask(t, listenHost(t, poolOf(e)), "GET", "/", nil); status != 200 || text != "tcp" || e.String() != e.address {
		t.Errorf("%d %q %v", status, text, e)
	}
}

func TestAnHTTP10ClientIsAnswered(t *testing.T) {
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush() // chunked
		fmt.Fprintf(w, "%s %s", r.Proto, r.Host)
	})
	s := listenHost(t, poolOf(e))
	c, r := dialRaw(t, s)
	sendRaw(t, c, "GET / HTTP/1.0\n\n")
	h, _ := readHead(r)
	body, err := io.ReadAll(r)
	if !strings.HasPrefix(h, "HTTP/1.0 200") || string(body) != "HTTP/1.1 localhost" || err != nil {
		t.Errorf("%q %q %v", h, body, err)
	}
}

// Some programs answer a body that they do not want and hang up, with the
// client still sending: the answer is what the client should get.
func TestAnAnswerInPlaceOfReadingTheBodyArrives(t *testing.T) {
	e := rawInstance(t, func(c net.Conn) {
		readHead(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
	})
	s := listenHost(t, poolOf(e))
	for range 50 {
		r, _ := http.NewRequest("POST", s.URL, bytes.NewReader(make([]byte, 2<<20)))
		res, err := httplint.Client(t, s).Do(r)
		if err != nil {
			continue // this client has the weakness that is tested for
		}
		res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Fatalf("status %d", res.StatusCode)
		}
	}
	if e.health.bad.Load() != 0 {
		t.Error("the instance is blamed")
	}
}
