package static

import (
	"mime"
	"testing"
)

func TestMediaTypes(t *testing.T) {
	for path, want := range map[string]string{
		"/index.html": "text/html; charset=utf-8", "/a.HTML": "text/html; charset=utf-8", "/a.min.js": "text/javascript; charset=utf-8",
		"/a.mjs": "text/javascript; charset=utf-8", "/a.css": "text/css; charset=utf-8", "/a.json": "application/json; charset=utf-8",
		"/a.js.map": "application/json; charset=utf-8", "/a.svg": "image/svg+xml; charset=utf-8", "/a.wasm": "application/wasm",
		"/a.webmanifest": "application/manifest+json; charset=utf-8", "/a.avif": "image/avif", "/a.jxl": "image/jxl", "/a.glb": "model/gltf-binary",
		"/a.xml": "application/xml; charset=utf-8", "/a.txt": "text/plain; charset=utf-8", "/a.woff2": "font/woff2", "/a.png": "image/png",
		"/a.mp4": "video/mp4", "/a.pdf": "application/pdf", "/a.tar.gz": "application/gzip", "/a.ico": "image/x-icon",
		"/a": "application/octet-stream", "/a.": "application/octet-stream", "/a.unknown": "application/octet-stream",
		"/d.html/a": "application/octet-stream", "/.well-known/x": "application/octet-stream", "/html": "application/octet-stream",
	} {
		if got := mediaTypeOf(path).text; got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if len(mediaTypes) < 150 {
		t.Errorf("%d extensions", len(mediaTypes))
	}
	for extension, m := range mediaTypes {
		if _, _, err := mime.ParseMediaType(m.text); err != nil || m.header[0] != m.text {
			t.Errorf("%s: %q: %v", extension, m.text, err)
		}
	}
}
