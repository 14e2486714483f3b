package static

import (
	_ "embed"
	"strings"
)

// mimeText is the table of media types: one type a line, then its extensions;
// "utf-8" for those that are text, which compression makes smaller, "compress"
// for others that it does. The system's own table differs from box to
// box, so it is not asked.
//
//go:embed mime.txt
var mimeText string

// mediaType is the type of a representation (RFC 9110 section 8.3).
type mediaType struct {
	text     string   // with parameters
	compress bool     // contents become smaller
	header   []string // the value of Content-Type, shared by all answers
}

var (
	octetStream = &mediaType{text: "application/octet-stream", header: []string{"application/octet-stream"}}
	mediaTypes  = parseMediaTypes(mimeText)
)

func parseMediaTypes(text string) map[string]*mediaType {
	types := map[string]*mediaType{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0][0] == '#' {
			continue
		}
		m := &mediaType{text: words[0]}
		for _, word := range words[1:] {
			switch word {
			case "utf-8":
				m.text += "; charset=utf-8"
				m.compress = true
			case "compress":
				m.compress = true
			default:
				types[word] = m
			}
		}
		m.header = []string{m.text}
	}
	return types
}

// mediaTypeOf returns the type of a file by its extension, whatever its case.
func mediaTypeOf(path string) *mediaType {
	name := path[strings.LastIndexByte(path, '/')+1:]
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return octetStream
	}
	extension := name[dot+1:]
	if m := mediaTypes[extension]; m != nil {
		return m
	}
	if m := mediaTypes[strings.ToLower(extension)]; m != nil {
		return m
	}
	return octetStream
}
