package http1

// body follows one byte of a chunked body that is not data (RFC 9112 section 7.1).
func (f *Framing) body(c byte) error {
	switch f.state {
	case atChunk, inSize:
		digit, ok := HexDigit(c)
		switch {
		case ok && f.state == atChunk:
			f.left, f.digits, f.state = digit, 1, inSize
		case ok && f.digits < 15:
			f.left, f.digits = f.left<<4|digit, f.digits+1
		case c == ';' && f.state == inSize:
			f.state = inExtension
		case c == '\r' && f.state == inSize:
			f.state = atSizeLF
		default:
			return errChunk
		}
	case inExtension:
		if c == '\r' {
			f.state = atSizeLF
		} else if c < ' ' && c != '\t' || c == 0x7f {
			return errChunk
		}
	case atSizeLF:
		if c != '\n' {
			return errChunk
		}
		f.state = inChunk
		if f.left == 0 {
			f.state = atTrailer
		}
	case atChunkCR:
		if c != '\r' {
			return errChunk
		}
		f.state = atChunkLF
	case atChunkLF:
		if c != '\n' {
			return errChunk
		}
		f.state = atChunk
	case atTrailer:
		switch {
		case c == '\r':
			f.state = atEndLF
		case !IsToken(c):
			return errChunk
		default:
			f.state = inTrailer
		}
	case inTrailer:
		if c == '\r' {
			f.state = atTrailerLF
		} else if c < ' ' && c != '\t' || c == 0x7f {
			return errChunk
		}
	case atTrailerLF:
		if c != '\n' {
			return errChunk
		}
		f.state = atTrailer
	case atEndLF:
		if c != '\n' {
			return errChunk
		}
		f.state = atStart
	}
	return nil
}

// HexDigit is what a hexadecimal digit counts.
func HexDigit(c byte) (int64, bool) {
	switch c = Lower(c); {
	case c >= '0' && c <= '9':
		return int64(c - '0'), true
	case c >= 'a' && c <= 'f':
		return int64(c-'a') + 10, true
	}
	return 0, false
}

// maxBetween bounds what of a chunked body is no data between two pieces of
// it: sizes with extensions, and the trailer.
const maxBetween = 16 << 10

// Chunks takes the data out of a chunked body.
type Chunks struct {
	framing Framing
	between int // bytes since the last data
	trailer []byte
	ended   bool
}

// Reset makes c ready for the next body.
func (c *Chunks) Reset() {
	*c = Chunks{framing: Framing{state: atChunk}, trailer: c.trailer[:0]}
}

// Next returns the first piece of data in p, a part of it, and how much of p it
// is done with; without data, that is all of p, or up to the end of the body.
func (c *Chunks) Next(p []byte) (data []byte, n int, err error) {
	f := &c.framing
	for !c.ended && n < len(p) {
		if f.state == inChunk {
			data = p[n:min(int64(len(p)), int64(n)+f.left)]
			if f.left -= int64(len(data)); f.left == 0 {
				f.state = atChunkCR
			}
			c.between = 0
			return data, n + len(data), nil
		}
		if f.state >= atTrailer {
			c.trailer = append(c.trailer, p[n])
		}
		if c.between++; c.between > maxBetween {
			return nil, n, errChunk
		}
		if err := f.body(p[n]); err != nil {
			return nil, n, err
		}
		n++
		c.ended = f.state == atStart
	}
	return nil, n, nil
}

// Ended says that the body was whole.
func (c *Chunks) Ended() bool { return c.ended }

// Trailer is what followed the data, when the body has ended.
func (c *Chunks) Trailer() (fields []Field, err error) {
	if len(c.trailer) <= len("\r\n") {
		return nil, nil
	}
	for line, rest := cutLine(string(c.trailer)); line != ""; line, rest = cutLine(rest) {
		f, err := readField(line)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, nil
}
