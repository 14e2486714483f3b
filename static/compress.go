package static

import (
	"bytes"
	"context"
	"io"
	"math/bits"

	"github.com/andybalholm/brotli"
	kgzip "github.com/klauspost/compress/gzip"
	kzstd "github.com/klauspost/compress/zstd"
)

// effort is how hard a content is compressed.
type effort uint8

const (
	quick effort = iota // while somebody may be waiting
	best                // once for all
)

const (
	compressFrom = 512     // bytes; less fits in a packet anyway
	compressTo   = 8 << 20 // bytes; also the largest window of zstd that browsers take (RFC 9659)
	// slowest is the size, in bytes, up to which brotli is given its highest level: a second or two of work.
	slowest = 512 << 10
	step    = 64 << 10 // bytes between two looks at whether to go on
)

// compress returns body in a coding. It fails only when ctx ends.
func compress(ctx context.Context, as coding, how effort, body []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(body) / 4)
	var w io.WriteCloser
	var err error
	switch as {
	case br:
		level := 4
		if how == best {
			if level = brotli.BestCompression; len(body) > slowest {
				level = 9
			}
		}
		// The window is as small as will do: at the highest level, eight times its size is taken for a while.
		w = brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: level, LGWin: min(24, max(10, bits.Len(uint(len(body))+16)))})
	case zstd:
		level := kzstd.SpeedDefault
		if how == best {
			level = kzstd.SpeedBestCompression
		}
		window := kzstd.MinWindowSize
		for window < len(body) {
			window *= 2
		}
		w, err = kzstd.NewWriter(&out, kzstd.WithEncoderLevel(level), kzstd.WithEncoderConcurrency(1),
			kzstd.WithWindowSize(min(window, compressTo)), kzstd.WithLowerEncoderMem(true))
	case gzip:
		level := 6
		if how == best {
			level = kgzip.BestCompression
		}
		w, err = kgzip.NewWriterLevel(&out, level)
	}
	if err != nil {
		return nil, err
	}
	for len(body) > 0 && err == nil {
		if err = ctx.Err(); err == nil {
			n := min(step, len(body))
			_, err = w.Write(body[:n])
			body = body[n:]
		}
	}
	if closing := w.Close(); err == nil {
		err = closing
	}
	return bytes.Clone(out.Bytes()), err
}
