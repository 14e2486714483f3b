package http1

import (
	"encoding/binary"
	"errors"
)

// Framing follows the messages of an HTTP/1 connection byte by byte: head,
// body, next head. It refuses what RFC 9112 lets a server refuse and what two
// parsers in a row may read differently, which is how requests are smuggled
// (section 11.2). net/http, which reads the same bytes next, is lenient about
// several of these and shows nobody what it let pass.
//
//	start ─ method ─ target ─ version ─┐
//	  ↑  ┌─────────────────────────────┘
//	  │  └ line ─ name ─ value ─┐
//	  │     ↑───────────────────┘
//	  │     └ head end ─ body | chunk size ─ data ─┐
//	  │                           ↑────────────────┤
//	  └────────────────────────────── trailers ────┘
type Framing struct {
	state state
	// left is what remains of the body, or of the chunk.
	left int64

	// What the head has said so far.
	old         bool // HTTP/1.0
	hosts       int
	hasLength   bool
	chunked     bool
	length      int64
	field       field
	name, value [24]byte
	nameLen     int
	valueLen    int  // one more than fits: too long to be right
	space       bool // white space since the value's last character
	versionLen  int
	digits      int // of the chunk size
}

type state uint8

const (
	atStart state = iota
	atStartLF
	inMethod
	atTarget
	inTarget
	inVersion
	atVersionLF
	atLine // first byte of a header line
	inName
	inValue
	atValueLF
	atHeadLF
	inBody
	atChunk // first digit of a chunk's size
	inSize
	inExtension
	atSizeLF
	inChunk
	atChunkCR
	atChunkLF
	atTrailer // first byte of a trailer line
	inTrailer
	atTrailerLF
	atEndLF
)

// field is a header field that frames messages.
type field uint8

const (
	otherField field = iota
	hostField
	lengthField
	encodingField
)

// Reasons for refusing a message.
var (
	errLineEnd   = errors.New("a line that does not end in CR LF")
	errLine      = errors.New("a malformed request line")
	errVersion   = errors.New("a version other than HTTP/1.0 and HTTP/1.1")
	errFold      = errors.New("a folded header line")
	errName      = errors.New("a malformed header name")
	errValue     = errors.New("a control character in a header value")
	errHost      = errors.New("not exactly one Host")
	errLength    = errors.New("a malformed or repeated Content-Length")
	errEncoding  = errors.New("a Transfer-Encoding other than one chunked")
	errBoth      = errors.New("Content-Length together with Transfer-Encoding")
	errOldCoding = errors.New("Transfer-Encoding in HTTP/1.0")
	errChunk     = errors.New("a malformed chunk")
)

// InBody says that the next byte belongs to a body: the client has announced
// it and owes it.
func (f *Framing) InBody() bool { return f.state >= inBody }

// Announced is how many bytes of a body follow the head that has just ended; -1
// means that there are chunks, whose number is not known.
func (f *Framing) Announced() int64 {
	switch f.state {
	case inBody:
		return f.left
	case atChunk:
		return -1
	}
	return 0
}

// Between says that no message has begun: the next byte is the first of one.
func (f *Framing) Between() bool { return f.state == atStart }

// Scan follows p. When a byte must not be passed on, n is its offset and err
// the reason; Scan is not to be called again then.
func (f *Framing) Scan(p []byte) (n int, err error) {
	for i := 0; i < len(p); i++ {
		if f.state == inBody || f.state == inChunk {
			skip := min(f.left, int64(len(p)-i))
			f.left -= skip
			i += int(skip) - 1
			if f.left > 0 {
				return len(p), nil
			}
			if f.state == inBody {
				f.state = atStart
			} else {
				f.state = atChunkCR
			}
			continue
		}
		if f.state < inBody {
			i = f.skip(p, i)
			err = f.head(p[i])
		} else {
			err = f.body(p[i])
		}
		if err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// Head is Scan up to the end of a head; whole says that n is that.
func (f *Framing) Head(p []byte) (n int, whole bool, err error) {
	for i := 0; i < len(p); i++ {
		i = f.skip(p, i)
		last := f.state == atHeadLF
		if err := f.head(p[i]); err != nil {
			return i, false, err
		}
		if last {
			return i + 1, true, nil
		}
	}
	return len(p), false, nil
}

// skip goes from i over bytes that change no state, most of a head; never over the last of p.
func (f *Framing) skip(p []byte, i int) int {
	last := len(p) - 1
	switch f.state {
	case inTarget:
		for i < last && p[i] > ' ' && p[i] != 0x7f {
			i++
		}
	case inName:
		for ; i < last && IsToken(p[i]); i++ {
			f.named(p[i])
		}
	case inValue:
		if f.field == otherField {
			for i+8 <= last && printableBytes(binary.LittleEndian.Uint64(p[i:])) {
				i += 8
			}
			for i < last && p[i] >= ' ' && p[i] != 0x7f {
				i++
			}
		}
	}
	return i
}

// head follows one byte of a head.
func (f *Framing) head(c byte) error {
	switch f.state {
	case atStart: // empty lines before a request are ignored, RFC 9112 section 2.2
		switch {
		case c == '\r':
			f.state = atStartLF
		case !IsToken(c):
			return f.lineError(c)
		default:
			*f = Framing{state: inMethod}
		}
	case atStartLF:
		if c != '\n' {
			return errLineEnd
		}
		f.state = atStart
	case inMethod:
		if c == ' ' {
			f.state = atTarget
		} else if !IsToken(c) {
			return f.lineError(c)
		}
	case atTarget, inTarget:
		switch {
		case c == ' ' && f.state == inTarget:
			f.state = inVersion
		case c <= ' ' || c == 0x7f:
			return f.lineError(c)
		default:
			f.state = inTarget
		}
	case inVersion:
		return f.version(c)
	case atVersionLF, atValueLF:
		if c != '\n' {
			return errLineEnd
		}
		if f.state == atValueLF {
			f.state = atLine
			return f.endField()
		}
		f.state = atLine
	case atLine:
		switch {
		case c == '\r':
			f.state = atHeadLF
			return f.checkHead()
		case c == '\n':
			return errLineEnd
		case c == ' ' || c == '\t':
			return errFold
		case !IsToken(c):
			return errName
		}
		f.state, f.nameLen, f.valueLen, f.space = inName, 1, 0, false
		f.name[0] = Lower(c)
	case inName:
		switch {
		case c == ':':
			f.field = fieldNamed(f.name[:min(f.nameLen, len(f.name))], f.nameLen)
			f.state = inValue
		case c == '\r' || c == '\n':
			return errLineEnd
		case !IsToken(c):
			return errName
		default:
			f.named(c)
		}
	case inValue:
		return f.inValue(c)
	case atHeadLF:
		if c != '\n' {
			return errLineEnd
		}
		f.endHead()
	}
	return nil
}

// named takes a character of a field's name in.
func (f *Framing) named(c byte) {
	if f.nameLen < len(f.name) {
		f.name[f.nameLen] = Lower(c)
	}
	f.nameLen++
}

func (f *Framing) lineError(c byte) error {
	if c == '\n' || c == '\r' {
		return errLineEnd
	}
	return errLine
}

func (f *Framing) version(c byte) error {
	const known = "HTTP/1."
	n := f.versionLen
	f.versionLen++
	switch {
	case n < len(known) && c == known[n]:
	case n == len(known) && (c == '0' || c == '1'):
		f.old = c == '0'
	case n == len(known)+1 && c == '\r':
		f.state = atVersionLF
	case c == '\n':
		return errLineEnd
	default:
		return errVersion
	}
	return nil
}

func (f *Framing) inValue(c byte) error {
	switch {
	case c == '\r':
		f.state = atValueLF
	case c == '\n':
		return errLineEnd
	case c == ' ' || c == '\t':
		f.space = f.valueLen > 0
	case c < ' ' || c == 0x7f:
		return errValue
	case f.field != otherField:
		if f.space || f.valueLen >= len(f.value) {
			f.valueLen = len(f.value) + 1 // white space inside, or too long: no length and no coding
			return nil
		}
		f.value[f.valueLen] = Lower(c)
		f.valueLen++
	}
	return nil
}

// endField looks at a complete header line.
func (f *Framing) endField() error {
	switch f.field {
	case hostField:
		if f.hosts++; f.hosts > 1 || f.valueLen == 0 && !f.old {
			return errHost
		}
	case lengthField:
		if f.hasLength || f.valueLen == 0 || f.valueLen > 18 {
			return errLength
		}
		for _, c := range f.value[:f.valueLen] {
			if c < '0' || c > '9' {
				return errLength
			}
			f.length = f.length*10 + int64(c-'0')
		}
		f.hasLength = true
	case encodingField:
		if f.chunked || string(f.value[:min(f.valueLen, len(f.value))]) != "chunked" {
			return errEncoding
		}
		f.chunked = true
	}
	switch {
	case f.chunked && f.hasLength:
		return errBoth
	case f.chunked && f.old:
		return errOldCoding
	}
	return nil
}

// checkHead looks at a head before its end is passed on.
func (f *Framing) checkHead() error {
	if f.hosts == 0 && !f.old {
		return errHost
	}
	return nil
}

// endHead finds where the message's body ends (RFC 9112 section 6.3).
func (f *Framing) endHead() {
	switch {
	case f.chunked:
		f.state = atChunk
	case f.length > 0:
		f.state, f.left = inBody, f.length
	default:
		f.state = atStart
	}
}

func fieldNamed(name []byte, length int) field {
	if length > len(name) {
		return otherField
	}
	switch string(name) {
	case "host":
		return hostField
	case "content-length":
		return lengthField
	case "transfer-encoding":
		return encodingField
	}
	return otherField
}
