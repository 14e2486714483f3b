package static

import "testing"

func TestAQueryCanStandInALocation(t *testing.T) {
	for raw, want := range map[string]string{
		"":                       "",
		"a=b&c=%20;d+{e}|\\^`?/": "a=b&c=%20;d+{e}|\\^`?/",
		"a b\t#\"<c>":            "a%20b%09%23%22%3Cc%3E",
		"é\x7f\x80\r\nX: y":      "%C3%A9%7F%80%0D%0AX:%20y",
	} {
		if got := Query(raw); got != want {
			t.Errorf("%q becomes %q, want %q", raw, got, want)
		}
	}
	s := newSite(t, Config{}, files{"dir/index.html": "x"})
	if a := s.raw("/dir?q=\xc3\xa9"); a.StatusCode != 308 || a.Header.Get("Location") != "/dir/?q=%C3%A9" {
		t.Errorf("%s to %q", a.Status, a.Header.Get("Location"))
	}
}
