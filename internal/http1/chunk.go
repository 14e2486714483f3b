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
