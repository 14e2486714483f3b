//go:build unix

package host

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// downgrade is a request of HTTP/2 that could become another, or several, where
// it is written as HTTP/1.1. TOKEN and EVIL are as in smuggling.txt.
type downgrade struct {
	about  string
	fields string   // a line each, behind a usual head; a field of that is said instead. "-name" takes one out
	data   []string // frames
	then   string   // trailers
	answer string   // statuses that are right; "cut" is a stream or a connection that ends without one
	seen   string   // by the app; "" is nothing
	begun  bool     // the app may see the beginning of POST /TOKEN
	may    string   // what it may see as well: all of what was announced, before more comes than that
}

var downgrades = []downgrade{
	{about: "a body without a length", data: []string{"EVIL"}, answer: "200", seen: "POST /TOKEN EVIL"},
	{about: "a body with its length", fields: "content-length: 44", data: []string{"EVIL"}, answer: "200", seen: "POST /TOKEN EVIL"},
	{about: "a body in pieces", fields: "content-length: 49", data: []string{"0\r\n", "\r\n", "EVIL"}, answer: "200", seen: "POST /TOKEN 0\r\n\r\nEVIL"},
	{about: "a GET with a body", fields: ":method: GET", data: []string{"EVIL"}, answer: "200", seen: "GET /TOKEN EVIL"},
	{about: "a HEAD with a body", fields: ":method: HEAD", data: []string{"EVIL"}, answer: "200", seen: "HEAD /TOKEN EVIL"},
	{about: "no body, but a method for one", answer: "200", seen: "POST /TOKEN"},
	{about: "a length of 0 and a body", fields: "content-length: 0", data: []string{"EVIL"}, answer: "400 cut", begun: true, may: "POST /TOKEN"},
	{about: "a length that is too short", fields: "content-length: 5", data: []string{"hello", "EVIL"}, answer: "400 cut", begun: true, may: "POST /TOKEN hello"},
	{about: "a length that is too short, in one frame", fields: "content-length: 5", data: []string{"helloEVIL"}, answer: "400 cut", begun: true},
	{about: "a length that is too long", fields: "content-length: 50", data: []string{"EVIL"}, answer: "400 cut", begun: true},
	{about: "a length and no body", fields: "content-length: 50", answer: "400 cut"},
	{about: "two lengths that differ", fields: "content-length: 5\ncontent-length: 49", data: []string{"helloEVIL"}, answer: "400 cut"},
	{about: "two lengths that differ, the first right", fields: "content-length: 44\ncontent-length: 5", data: []string{"EVIL"}, answer: "400 cut"},
	{about: "two lengths alike", fields: "content-length: 44\ncontent-length: 44", data: []string{"EVIL"}, answer: "400 cut"},
	{about: "a list of lengths", fields: "content-length: 44,44", data: []string{"EVIL"}, answer: "400 cut"},
	{about: "a signed length", fields: "content-length: +44", data: []string{"EVIL"}, answer: "400 cut"},
	{about: "a negative length", fields: "content-length: -1", data: []string{"EVIL"}, answer: "400 cut"},
	{about: "a hexadecimal length", fields: "content-length: 0x2c", data: []string{"EVIL"}, answer: "400 cut"},
	{about: "an empty length", fields: "content-length: ", data: []string{"EVIL"}, answer: "400 cut"},
	{about: "a length with a line end", fields: "content-length: 44\\r\\n", data: []string{"EVIL"}, answer: "400 cut"},
	{about: "a huge length", fields: "content-length: 18446744073709551660", data: []string{"EVIL"}, answer: "400 cut"},
	{about: "leading zeros of a length", fields: "content-length: 0044", data: []string{"EVIL"}, answer: "200", seen: "POST /TOKEN EVIL"},
	{about: "an underscore for a hyphen", fields: "content_length: 5", data: []string{"EVIL"}, answer: "200", seen: "POST /TOKEN EVIL"},
	{about: "a coding", fields: "transfer-encoding: chunked", data: []string{"0\r\n\r\nEVIL"}, answer: "400 cut"},
	{about: "a coding and a length", fields: "transfer-encoding: chunked\ncontent-length: 49", data: []string{"0\r\n\r\nEVIL"}, answer: "400 cut"},
	{about: "an obscure coding", fields: "transfer-encoding: xchunked", data: []string{"0\r\n\r\nEVIL"}, answer: "400 cut"},
	{about: "an underscore in a coding", fields: "transfer_encoding: chunked", data: []string{"0\r\n\r\nEVIL"}, answer: "200", seen: "POST /TOKEN 0\r\n\r\nEVIL"},
	{about: "a coding in capitals", fields: "Transfer-Encoding: chunked", data: []string{"0\r\n\r\nEVIL"}, answer: "400 cut"},
	{about: "a name in capitals", fields: "X-Some: 1", answer: "400 cut"},
	{about: "Connection", fields: "connection: close", answer: "400 cut"},
	{about: "Connection that names the length", fields: "connection: content-length\ncontent-length: 44", data: []string{"EVIL"}, answer: "400 cut"},
	{about: "Connection that names the host", fields: "connection: host", answer: "400 cut"},
	{about: "Keep-Alive", fields: "keep-alive: timeout=1", answer: "400 cut"},
	{about: "Proxy-Connection", fields: "proxy-connection: keep-alive", answer: "400 cut"},
	{about: "Upgrade", fields: "upgrade: h2c", answer: "400 cut"},
	{about: "TE", fields: "te: gzip", answer: "400 cut"},
	{about: "TE that asks for trailers", fields: "te: trailers", answer: "200", seen: "POST /TOKEN"},
	{about: "a request in a value", fields: `x: y\r\n\r\nEVIL`, answer: "400 cut"},
	{about: "a field in a value", fields: `x: y\r\ntransfer-encoding: chunked`, data: []string{"0\r\n\r\nEVIL"}, answer: "400 cut"},
	{about: "an LF in a value", fields: `x: y\ncontent-length: 0`, answer: "400 cut"},
	{about: "a CR in a value", fields: `x: y\rcontent-length: 0`, answer: "400 cut"},
	{about: "a zero byte in a value", fields: `x: y\x00z`, answer: "400 cut"},
	{about: "a request in a name", fields: `x: y\r\n\r\nGET /TOKEN/evil HTTP/1.1\r\nx`, answer: "400 cut"},
	{about: "an LF in a name", fields: `x\ny: z`, answer: "400 cut"},
	{about: "a zero byte in a name", fields: `x\x00: z`, answer: "400 cut"},
	{about: "a space in a name", fields: `content-length : 0`, answer: "400 cut"},
	{about: "a colon in a name", fields: `transfer-encoding\x3a chunked: x`, answer: "400 cut"},
	{about: "an empty name", fields: `: x`, answer: "400 cut"},
	{about: "a request in the path", fields: `:path: /TOKEN HTTP/1.1\r\nHost: app.test\r\n\r\nGET /TOKEN/evil`, answer: "400 cut"},
	{about: "a space in the path", fields: `:path: /TOKEN HTTP/1.1`, answer: "400 cut"},
	{about: "a tab in the path", fields: `:path: /TOKEN\tx`, answer: "400 cut"},
	{about: "an LF in the path", fields: `:path: /TOKEN\nx`, answer: "400 cut"},
	{about: "a zero byte in the path", fields: `:path: /TOKEN\x00`, answer: "400 cut"},
	{about: "escaped line ends in the path", fields: ":path: /TOKEN%0d%0aX:%20y", answer: "200", seen: "POST /TOKEN%0d%0aX:%20y"},
	{about: "a space in the query", fields: `:path: /TOKEN?x HTTP/1.1`, answer: "400 cut"},
	{about: "a line end in the query", fields: `:path: /TOKEN?x\r\nX: y`, answer: "400 cut"},
	{about: "no path", fields: "-:path", answer: "400 cut"},
	{about: "an empty path", fields: ":path: ", answer: "400 cut"},
	{about: "a path that begins elsewhere", fields: ":path: evil.test/TOKEN", answer: "400 cut"},
	{about: "a whole URI for a path", fields: ":path: http://evil.test/TOKEN", answer: "400 cut"},
	{about: "two paths", fields: ":path: /TOKEN\n:path: /TOKEN/evil", answer: "400 cut"},
	{about: "two methods", fields: ":method: POST\n:method: GET", answer: "400 cut"},
	{about: "two schemes", fields: ":scheme: https\n:scheme: http", answer: "400 cut"},
	{about: "two authorities", fields: ":authority: app.test\n:authority: evil.test", answer: "400 cut"},
	{about: "an unknown pseudo field", fields: ":evil: x", answer: "400 cut"},
	{about: "a pseudo field behind others", fields: "-:path\nx: y\n:path: /TOKEN", answer: "400 cut"},
	{about: "no method", fields: "-:method", answer: "400 cut"},
	{about: "a space in the method", fields: ":method: GET /TOKEN/evil HTTP/1.1", answer: "400 405 cut"},
	{about: "a line end in the method", fields: `:method: GET /TOKEN/evil HTTP/1.1\r\nHost: app.test\r\n\r\nGET`, answer: "400 405 cut"},
	{about: "CONNECT", fields: ":method: CONNECT", answer: "400 405 cut"},
	{about: "a websocket", fields: ":method: CONNECT\n:protocol: websocket", answer: "400 405 501 cut"},
	{about: "TRACE", fields: ":method: TRACE", answer: "405"},
	{about: "a scheme with a request", fields: `:scheme: http://app.test/TOKEN/evil HTTP/1.1\r\nX: y`, answer: "400 cut"},
	{about: "no authority", fields: "-:authority", answer: "400 404 421 cut"},
	{about: "a host for an authority", fields: "-:authority\nhost: app.test", answer: "200", seen: "POST /TOKEN"},
	{about: "a host beside the authority", fields: "host: app.test", answer: "200", seen: "POST /TOKEN"},
	{about: "a host against the authority", fields: "host: evil.test", answer: "400 cut"},
	{about: "two hosts", fields: "-:authority\nhost: app.test\nhost: evil.test", answer: "400 cut"},
	{about: "an authority with a user", fields: ":authority: user@app.test", answer: "400 404 421 cut"},
	{about: "an authority with a path", fields: ":authority: app.test/TOKEN", answer: "400 404 421 cut"},
	{about: "an authority with a line end", fields: `:authority: app.test\r\nX: y`, answer: "400 cut"},
	{about: "an authority with a space", fields: `:authority: app.test evil.test`, answer: "400 404 421 cut"},
	{about: "an expectation", fields: "expect: 100-continue\ncontent-length: 44", data: []string{"EVIL"}, answer: "200", seen: "POST /TOKEN EVIL"},
	{about: "trailers", data: []string{"hello"}, then: "x-sum: 1", answer: "200", seen: "POST /TOKEN hello"},
	{about: "trailers that frame", data: []string{"hello"}, then: "content-length: 44\ntransfer-encoding: chunked\nhost: evil.test", answer: "200 400 cut", seen: "POST /TOKEN hello", begun: true},
	{about: "trailers with a line end", data: []string{"hello"}, then: `x-sum: 1\r\n\r\nEVIL`, answer: "400 cut", begun: true},
	{about: "trailers with a pseudo field", data: []string{"hello"}, then: ":path: /TOKEN/evil", answer: "400 cut", begun: true},
	{about: "cookies in pieces", fields: "cookie: a=1\ncookie: b=2", answer: "200", seen: "POST /TOKEN"},
}

// head are the fields of it.
func (d *downgrade) head(token string) (fields [][2]string) {
	usual := []string{":method: POST", ":scheme: https", ":authority: app.test", ":path: /TOKEN"}
	said := pairsOf(d.fields)
	for _, f := range pairsOf(strings.Join(usual, "\n")) {
		own := func(s [2]string) bool { return s[0] == f[0] || s[0] == "-"+f[0] }
		if !slices.ContainsFunc(said, own) {
			fields = append(fields, f)
		}
	}
	pseudo := len(fields)
	for _, f := range said {
		if f[0][:min(1, len(f[0]))] == "-" {
			continue
		}
		if strings.HasPrefix(f[0], ":") && len(fields) == pseudo {
			pseudo++
		}
		fields = append(fields, f)
	}
	for i := range fields {
		fields[i] = [2]string{filled(fields[i][0], token), filled(fields[i][1], token)}
	}
	return fields
}

// pairsOf are names and values of lines, escapes resolved.
func pairsOf(text string) (fields [][2]string) {
	for line := range strings.Lines(text) {
		line, err := unescape(strings.TrimSuffix(line, "\n"))
		if err != nil {
			panic(err)
		}
		i := strings.Index(line[1:], ": ") + 1
		if i == 0 {
			fields = append(fields, [2]string{line, ""})
			continue
		}
		fields = append(fields, [2]string{line[:i], line[i+2:]})
	}
	return fields
}

// talk is a connection of HTTP/2 that says what it likes.
type talk struct {
	io.Closer
	framer  *http2.Framer
	head    bytes.Buffer
	encoder *hpack.Encoder
	decoder *hpack.Decoder
	fields  map[string]string
}

func (w *watched) talk() (*talk, error) {
	c, err := w.speaking("h2")
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(30 * time.Second))
	t := &talk{Closer: c, framer: http2.NewFramer(c, c)}
	t.framer.AllowIllegalWrites = true
	t.encoder = hpack.NewEncoder(&t.head)
	t.decoder = hpack.NewDecoder(4096, func(f hpack.HeaderField) { t.fields[f.Name] = f.Value })
	io.WriteString(c, http2.ClientPreface)
	return t, t.framer.WriteSettings()
}

// ask sends a request and reads its answer: "cut" when it has none, or "200 cut"
// when that breaks off.
func (t *talk) ask(stream uint32, fields [][2]string, data []string, then [][2]string) (status, saw, body string) {
	block := func(fields [][2]string) []byte {
		t.head.Reset()
		for _, f := range fields {
			t.encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
		}
		return t.head.Bytes()
	}
	t.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block(fields), EndHeaders: true, EndStream: len(data) == 0})
	for i, text := range data {
		t.framer.WriteData(stream, i == len(data)-1 && len(then) == 0, []byte(text))
	}
	if len(then) > 0 {
		t.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block(then), EndHeaders: true, EndStream: true})
	}
	t.fields = map[string]string{}
	var text strings.Builder
	cut := func() (string, string, string) {
		return strings.TrimSpace(t.fields[":status"] + " cut"), "", text.String()
	}
	for {
		frame, err := t.framer.ReadFrame()
		if err != nil {
			return cut()
		}
		ended := false
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				t.framer.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			if _, err := t.decoder.Write(frame.HeaderBlockFragment()); err != nil {
				return err.Error(), "", ""
			}
			ended = frame.StreamID == stream && frame.StreamEnded()
		case *http2.DataFrame:
			if frame.StreamID == stream {
				text.Write(frame.Data())
				ended = frame.StreamEnded()
			}
		case *http2.RSTStreamFrame:
			if frame.StreamID == stream {
				return cut()
			}
		case *http2.GoAwayFrame:
			if frame.LastStreamID < stream {
				return cut()
			}
		}
		if ended {
			return t.fields[":status"], t.fields["x-saw"], text.String()
		}
	}
}

// TestNoRequestOfHTTP2BecomesAnother is TestNoRequestHidesInAnother for what
// can be said in HTTP/2 and not, or not so, in HTTP/1.1.
func TestNoRequestOfHTTP2BecomesAnother(t *testing.T) {
	t.Parallel()
	hosts := newWatched(t)
	type asked struct {
		d           downgrade
		what, token string
		w           *watched
		next        bool // the good request behind it was answered
		answered    bool
	}
	jobs := make(chan *asked)
	var workers sync.WaitGroup
	for range 12 {
		workers.Go(func() {
			for a := range jobs {
				c, err := a.w.talk()
				if err != nil {
					t.Errorf("%s: %v", a.what, err)
					continue
				}
				seen := filled(a.d.seen, a.token)
				status, saw, body := c.ask(1, a.d.head(a.token), filledAll(a.d.data, a.token), pairsOf(filled(a.d.then, a.token)))
				_, body, _ = strings.Cut(body, "\n")
				if strings.HasPrefix(saw, "HEAD ") {
					body = strings.TrimPrefix(seen, saw+" ")
				}
				a.answered = status == "200"
				said := strings.TrimSuffix(saw+" "+body, " ")
				if a.answered && a.d.may != "" && said == filled(a.d.may, a.token) { // the app was quicker
					status, a.answered = "cut", false
				}
				if !slices.Contains(strings.Fields(a.d.answer), status[strings.LastIndexByte(status, ' ')+1:]) || a.answered && said != seen {
					t.Errorf("%s: %s, %q, want %s, %q", a.what, status, said, a.d.answer, seen)
				}
				next := "/" + a.token + "/next"
				status, saw, _ = c.ask(3, [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "app.test"}, {":path", next}}, nil, nil)
				if a.next = status == "200" && saw == "GET "+next; !a.next && (status != "cut" || a.answered) {
					t.Errorf("%s: the next request gets %s, %q", a.what, status, saw)
				}
				c.Close()
			}
		})
	}
	var all []*asked
	for _, d := range downgrades {
		for lane, w := range hosts {
			all = append(all, &asked{d: d, what: d.about + ", " + lane, token: fmt.Sprintf("t%04d", len(all)), w: w})
		}
	}
	for _, a := range all {
		jobs <- a
	}
	close(jobs)
	workers.Wait()
	for _, w := range hosts {
		w.ended()
	}
	for _, a := range all {
		var seen, begun []string
		if a.answered {
			seen = append(seen, filled(a.d.seen, a.token))
		} else if i := slices.Index(a.w.witness.seen[a.token], filled(a.d.may, a.token)); i >= 0 {
			a.w.witness.seen[a.token] = slices.Delete(a.w.witness.seen[a.token], i, i+1) // before or after the next one
		}
		if a.next {
			seen = append(seen, "GET /"+a.token+"/next")
		}
		if a.d.begun {
			begun = append(begun, "POST /"+a.token)
		}
		a.w.saw(a.what, a.token, seen, begun)
	}
}
