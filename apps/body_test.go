package apps

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTheBodyIsKeptOnlyWhileItIsLittle(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 20<<10)
	r := httptest.NewRequest("PUT", "/", opaqueReader{bytes.NewReader(text)})
	b := newBody(r)
	first := b.Reader()
	part := make([]byte, 50<<10)
	if _, err := io.ReadFull(first, part); err != nil || !b.again() {
		t.Fatalf("%v, again %v", err, b.again())
	}
	second := b.Reader()
	if _, err := first.Read(part); err != http.ErrBodyReadAfterClose {
		t.Errorf("a reader that has been replaced reads: %v", err)
	}
	got, err := io.ReadAll(second)
	if err != nil || !bytes.Equal(got, text) {
		t.Errorf("the second time %d bytes, %v", len(got), err)
	}
	if b.again() || b.kept != nil {
		t.Errorf("%d bytes are kept", len(b.kept))
	}
	if b.Reader() != nil {
		t.Error("a third time")
	}
	b.shut(nil, r)
	if _, err := second.Read(part); err != http.ErrBodyReadAfterClose {
		t.Errorf("reads after the handler: %v", err)
	}
}
