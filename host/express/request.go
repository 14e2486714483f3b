package express

import (
	"context"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"roost/internal/http1"
)

const (
	maxHead  = 16 << 10 // bytes; the full lane refuses more
	maxLines = 100      // likewise
)

// request is an http.Request that is made in the same place again and again.
type request struct {
	http.Request
	url    url.URL
	header http.Header
	values [maxLines]string
}

// blank is what all requests of a connection are alike in.
func blank(ctx context.Context, client string) *http.Request {
	return (&http.Request{
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, RemoteAddr: client,
	}).WithContext(ctx)
}

// read makes the request that text, a head that Framing has found right, is
// about, as http.ReadRequest would. It tells whether the lane can answer such.
func (r *request) read(text string, blank *http.Request) bool {
	if r.header == nil {
		r.header = http.Header{}
	}
	clear(r.header)
	r.Request = *blank
	r.Header, r.URL = r.header, &r.url
	line, rest := cutLine(text)
	method, line, _ := strings.Cut(line, " ")
	r.Method = known(method)
	target, new := strings.CutSuffix(line, " HTTP/1.1")
	if !new || r.Method == http.MethodConnect || !r.aim(target) {
		return false
	}
	for n := 0; rest != "\r\n"; n++ {
		if n == len(r.values) {
			return false
		}
		line, rest = cutLine(rest)
		colon := strings.IndexByte(line, ':')
		value := http1.Value(line[colon+1:])
		switch name := canonical(line[:colon]); name {
		case "Host":
			if r.Host = value; !plain(value, inHost) {
				return false
			}
		case "Upgrade", "Expect", "Trailer":
			return false
		case "Connection":
			if !strings.EqualFold(value, "keep-alive") && httpguts.HeaderValuesContainsToken([]string{value}, "close") {
				r.Close = true
			}
			fallthrough
		default:
			r.values[n] = value
			if said := r.header[name]; said != nil {
				r.header[name] = append(said, value)
			} else {
				r.header[name] = r.values[n : n+1 : n+1]
			}
		}
	}
	// RFC 9111 section 5.4; net/http does it too.
	if pragma := r.header["Pragma"]; pragma != nil && pragma[0] == "no-cache" && r.header["Cache-Control"] == nil {
		r.header["Cache-Control"] = pragma[:1:1]
	}
	return true
}

// known is method, and where it is a known one no part of the head that it came in.
func known(method string) string {
	switch method {
	case http.MethodGet:
		return http.MethodGet
	case http.MethodHead:
		return http.MethodHead
	case http.MethodPost:
		return http.MethodPost
	case http.MethodPut:
		return http.MethodPut
	case http.MethodPatch:
		return http.MethodPatch
	case http.MethodDelete:
		return http.MethodDelete
	case http.MethodOptions:
		return http.MethodOptions
	}
	return method
}

// aim takes the target in. Most are their own path.
func (r *request) aim(target string) bool {
	if target == "" || target[0] != '/' {
		return false
	}
	r.RequestURI = target
	path, query, asked := strings.Cut(target, "?")
	if plain(path, inPath) {
		r.url = url.URL{Path: path, RawQuery: query, ForceQuery: asked && query == ""}
		return true
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return false
	}
	r.url = *u
	return true
}

// cutLine cuts s, which has a line end, behind the first.
func cutLine(s string) (line, rest string) {
	end := strings.IndexByte(s, '\r')
	return s[:end], s[end+2:]
}

// Bytes that may stand in the host of a request, and those of a path that mean
// themselves there and are written so by net/url. Whatever has others goes the long way.
var (
	inHost = bytesOf("-._:[]")
	inPath = bytesOf("-_.~/$&+,:;=@")
)

func bytesOf(others string) (set [256]bool) {
	for c := range set {
		l := http1.Lower(byte(c))
		set[c] = l >= 'a' && l <= 'z' || l >= '0' && l <= '9' || strings.IndexByte(others, byte(c)) >= 0
	}
	return set
}

func plain(s string, set [256]bool) bool {
	for i := range len(s) {
		if !set[s[i]] {
			return false
		}
	}
	return true
}

// canonical is a field name as http.Header has it.
func canonical(name string) string {
	if known, ok := canonicalNames[name]; ok {
		return known
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// canonicalNames are what browsers and tools send, in both spellings, so that
// no string is made of them.
var canonicalNames = func() map[string]string {
	m := map[string]string{}
	for _, name := range []string{
		"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection", "Content-Length",
		"Content-Type", "Cookie", "Dnt", "Expect", "Forwarded", "From", "Host", "If-Match", "If-Modified-Since", "If-None-Match",
		"If-Range", "If-Unmodified-Since", "Keep-Alive", "Origin", "Pragma", "Priority", "Purpose", "Range", "Referer",
		"Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site",
		"Sec-Fetch-User", "Sec-Gpc", "Te", "Traceparent", "Trailer", "Upgrade", "Upgrade-Insecure-Requests", "User-Agent", "Via",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "X-Request-Id", "X-Requested-With",
	} {
		m[name], m[strings.ToLower(name)] = name, name
	}
	return m
}()
