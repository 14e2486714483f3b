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
	out := forward(r)
	b.attach(out)
	part := make([]byte, 50<<10)
	if _, err := io.ReadFull(out.Body, part); err != nil || !b.again() {
		t.Fatalf("%v, again %v", err, b.again())
	}
	out.Body.Close()
	if _, err := out.Body.Read(part); err != http.ErrBodyReadAfterClose {
		t.Errorf("a closed body reads: %v", err)
	}
	second, err := out.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(second)
	if err != nil || !bytes.Equal(got, text) {
		t.Errorf("the second time %d bytes, %v", len(got), err)
	}
	if b.again() || b.kept != nil {
		t.Errorf("%d bytes are kept", len(b.kept))
	}
	if _, err := out.GetBody(); err == nil {
		t.Error("a third time")
	}
	b.shut()
	if _, err := second.Read(part); err != http.ErrBodyReadAfterClose {
		t.Errorf("reads after the handler: %v", err)
	}
}
