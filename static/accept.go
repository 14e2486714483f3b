package static

import (
	"net/http"
	"strings"
)

// coding is a content coding (RFC 9110 section 8.4.1). Of two that a client
// likes equally, the smaller number is chosen.
type coding uint8

const (
	br       coding = iota // RFC 7932
	zstd                   // RFC 8878, 9659
	gzip                   // RFC 1952
	identity               // none
	codings  = int(identity)
)

// Values of Content-Encoding, and what the name of a file with such a content ends in.
var (
	contentEncoding = [codings][]string{br: {"br"}, zstd: {"zstd"}, gzip: {"gzip"}}
	extensionOf     = [codings]string{br: ".br", zstd: ".zst", gzip: ".gz"}
)

// preference is the codings that a client takes, best first. identity is
// always there: if not liked, it is last, for it is better than no answer
// (RFC 9110 section 12.5.3 lets a server disregard the field).
type preference struct {
	codings [codings + 1]coding
	n       int
}

// preferred reads Accept-Encoding (RFC 9110 section 12.5.3). Without the field
// any coding would do, but who does not name one may not know one.
func preferred(lines []string) preference {
	const unnamed = -1
	weights, others := [codings + 1]int{unnamed, unnamed, unnamed, unnamed}, unnamed
	for _, rest := range lines {
		for rest != "" {
			var element string
			element, rest, _ = strings.Cut(rest, ",")
			name, parameters, _ := strings.Cut(element, ";")
			name = strings.Trim(name, " \t")
			switch c, known := codingOf(name); {
			case known:
				weights[c] = weight(parameters)
			case name == "*":
				others = weight(parameters)
			}
		}
	}
	var p preference
	var of [codings + 1]int // weights of p.codings
	for c := br; c <= identity; c++ {
		w := weights[c]
		if w == unnamed {
			w = others
		}
		if w <= 0 {
			continue
		}
		i := p.n
		for ; i > 0 && of[i-1] < w; i-- {
			p.codings[i], of[i] = p.codings[i-1], of[i-1]
		}
		p.codings[i], of[i] = c, w
		p.n++
		if c == identity {
			return p
		}
	}
	p.codings[p.n] = identity
	p.n++
	return p
}

// codingOf finds a coding by its name in a request.
func codingOf(name string) (coding, bool) {
	switch len(name) {
	case len("br"):
		return br, strings.EqualFold(name, "br")
	case len("zstd"):
		if strings.EqualFold(name, "zstd") {
			return zstd, true
		}
		return gzip, strings.EqualFold(name, "gzip")
	case len("x-gzip"):
		return gzip, strings.EqualFold(name, "x-gzip") // RFC 9110 section 8.4.1.3
	case len("identity"):
		return identity, strings.EqualFold(name, "identity")
	}
	return identity, false
}

// weight reads the parameter q (RFC 9110 section 12.4.2) in thousandths. None,
// or one that is malformed, is 1.
func weight(parameters string) int {
	for parameters != "" {
		var parameter string
		parameter, parameters, _ = strings.Cut(parameters, ";")
		name, value, _ := strings.Cut(parameter, "=")
		if name = strings.Trim(name, " \t"); name != "q" && name != "Q" {
			continue
		}
		value = strings.Trim(value, " \t")
		if len(value) == 0 || value[0] != '0' || len(value) > 1 && value[1] != '.' {
			return 1000
		}
		w, unit := 0, 100
		for i := 2; i < len(value); i++ {
			digit := int(value[i]) - '0'
			if digit < 0 || digit > 9 {
				return 1000
			}
			w += digit * unit
			unit /= 10 // digits after the third do not count
		}
		return w
	}
	return 1000
}

// transformless tells whether whoever asks wants nothing made of the content (RFC 9111 section 5.2.1.6).
func transformless(h http.Header) bool {
	for _, line := range h["Cache-Control"] {
		if strings.Contains(strings.ToLower(line), "no-transform") {
			return true
		}
	}
	return false
}
