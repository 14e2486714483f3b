package httplint

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// vary checks Vary (RFC 9110 section 12.5.5).
func vary(a *answer) {
	names := a.list("Vary")
	if twice := duplicates(names); len(twice) > 0 && a.ours() {
		a.say("Vary names %s twice", strings.Join(twice, ", "))
	}
	if !a.ours() {
		return
	}
	for _, name := range names {
		if name == "*" && len(names) > 1 {
			a.say("Vary has * and more")
		}
		if !isToken(name) {
			a.say("Vary has %q", name)
		}
	}
	if (a.header["Content-Encoding"] != nil || a.unpacked) && !contains(names, "Accept-Encoding") && a.value("Vary") != "*" {
		a.say("Content-Encoding without Vary: Accept-Encoding")
	}
	// Who asked for JSON at an address that is of no such file got it for asking.
	kind, _, _ := strings.Cut(a.value("Content-Type"), ";")
	if kind == "application/json" && strings.Contains(a.asked("Accept"), "json") && !strings.HasSuffix(a.request.URL.Path, ".json") && !contains(names, "Accept") {
		a.say("JSON for who asked for it, without Vary: Accept")
	}
	if origin := a.value("Access-Control-Allow-Origin"); origin != "" && origin != "*" && !contains(names, "Origin") {
		a.say("Access-Control-Allow-Origin of one, without Vary: Origin")
	}
}

// contentType checks Content-Type (RFC 9110 section 8.3).
func contentType(a *answer) {
	if a.header["Content-Type"] == nil || !a.ours() {
		return
	}
	text := a.value("Content-Type")
	kind, parameters, err := mime.ParseMediaType(text)
	switch {
	case err != nil || strings.Count(kind, "/") != 1:
		a.say("Content-Type %q", text)
	case (strings.HasPrefix(kind, "text/") || kind == "application/javascript") && kind != "text/event-stream" && !strings.EqualFold(parameters["charset"], "utf-8"):
		a.say("Content-Type %q without charset=utf-8", text)
	}
}

// codings are those of content that are known (RFC 9110 section 8.4.1, 8878, 7932).
var codings = []string{"gzip", "br", "zstd", "deflate"}

func contentEncoding(a *answer) {
	if !a.ours() || a.header["Content-Encoding"] == nil {
		return
	}
	coding := a.value("Content-Encoding")
	switch {
	case !contains(codings[:3], coding):
		a.say("Content-Encoding %q", coding)
	case a.status >= 400 && a.status != http.StatusNotFound:
		a.say("a %d with Content-Encoding", a.status)
	case a.request != nil && !accepts(a.request.Header.Values("Accept-Encoding"), coding):
		a.say("Content-Encoding %s, Accept-Encoding is %q", coding, a.request.Header.Values("Accept-Encoding"))
	}
}

// accepts is RFC 9110 section 12.5.3. A client who says nothing accepts all,
// but is not sent what it may not know.
func accepts(lines []string, coding string) bool {
	any := false
	for _, e := range elements(lines) {
		name, parameters, _ := strings.Cut(e, ";")
		name = strings.TrimSpace(name)
		wanted := true
		if q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(parameters, " ", "")), "q="); ok {
			weight, err := strconv.ParseFloat(q, 64)
			wanted = err != nil || weight != 0
		}
		if strings.EqualFold(name, coding) || strings.EqualFold(name, "x-"+coding) {
			return wanted
		}
		any = any || name == "*" && wanted
	}
	return any
}

// typedBody checks that a body says what it is.
func typedBody(a *answer) {
	if a.ours() && a.size > 0 && a.hasBody() && a.header["Content-Type"] == nil {
		a.say("%d bytes without Content-Type", a.size)
	}
	if a.ours() && a.body != nil && a.hasBody() && a.value("Content-Type") == "application/json" && a.value("Content-Encoding") == "" && a.status >= 400 && !json.Valid(a.body) {
		a.say("an error of application/json that is none: %q", a.body)
	}
}

// codedBody checks that the body is coded as Content-Encoding says.
func codedBody(a *answer) {
	if !a.ours() || a.body == nil || a.status != http.StatusOK || !a.hasBody() || a.unpacked {
		return
	}
	var err error
	switch coding := a.value("Content-Encoding"); coding {
	case "gzip":
		var in *gzip.Reader
		if in, err = gzip.NewReader(bytes.NewReader(a.body)); err == nil {
			_, err = io.Copy(io.Discard, in)
		}
	case "br":
		_, err = io.Copy(io.Discard, brotli.NewReader(bytes.NewReader(a.body)))
	case "zstd":
		var in *zstd.Decoder
		if in, err = zstd.NewReader(bytes.NewReader(a.body), zstd.WithDecoderConcurrency(1)); err == nil {
			_, err = io.Copy(io.Discard, in)
			in.Close()
		}
	}
	if err != nil {
		a.say("the body is not %s: %v", a.value("Content-Encoding"), err)
	}
}
