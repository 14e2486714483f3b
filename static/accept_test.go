package static

import (
	"net/http"
	"strings"
	"testing"
)

func (p preference) String() string {
	var names []string
	for _, c := range p.codings[:p.n] {
		if c == identity {
			names = append(names, "identity")
		} else {
			names = append(names, contentEncoding[c][0])
		}
	}
	return strings.Join(names, " ")
}

func TestCodingsAreTakenByPreference(t *testing.T) {
	for field, want := range map[string]string{
		"gzip, deflate, br, zstd":                "br zstd gzip identity", // Chrome, Firefox
		"gzip, deflate, br":                      "br gzip identity",      // Safari
		"gzip, deflate":                          "gzip identity",
		"gzip":                                   "gzip identity",
		"zstd, gzip":                             "zstd gzip identity",
		"deflate, gzip;q=1.0, *;q=0.5":           "gzip br zstd identity", // RFC 9110, where * is also for identity
		"compress;q=0.5, gzip;q=1.0":             "gzip identity",
		"gzip;q=1.0, identity; q=0.5, *;q=0":     "gzip identity",
		"*":                                      "br zstd gzip identity",
		"*;q=0":                                  "identity", // nothing will do: better that than nothing
		"identity;q=0, *;q=0":                    "identity",
		"":                                       "identity",
		"identity":                               "identity",
		"identity;q=0":                           "identity",
		"br;q=0.5, gzip;q=0.8, zstd;q=0.7":       "gzip zstd br identity",
		"br;q=0.001, gzip;q=0.002":               "gzip br identity",
		"br;q=0, gzip":                           "gzip identity",
		"br;q=0.000, gzip":                       "gzip identity",
		"identity, br;q=0.9":                     "identity br",
		"identity;q=0.5, br;q=0.9, gzip;q=0.3":   "br identity gzip",
		"GZip, BR;Q=0.5":                         "gzip br identity",
		"x-gzip":                                 "gzip identity",
		"gzip;q=0, x-gzip":                       "gzip identity", // the last one counts
		"gzip;q=high, br;q=0.9":                  "gzip br identity",
		"gzip;q=-1, br;q=0.9":                    "gzip br identity",
		"gzip;q=, br;q=0.9":                      "gzip br identity",
		"gzip;q=0.5x, br;q=0.9":                  "gzip br identity",
		"gzip;q=2, br":                           "br gzip identity",
		"gzip;q=0.5;x=1, br;level=4;q=0.4":       "gzip br identity",
		"gzip ; q = 0.5 ,\tbr\t;q=0.4":           "gzip br identity",
		"gzip;q=0.1239, br;q=0.123":              "br gzip identity", // three digits count
		",,gzip,,":                               "gzip identity",
		"gzip br":                                "identity",
		"brotli, zstandard, deflate, sdch, aes!": "identity",
		"b\x00, \xff, ;;;, =, q=1, gz\tip":       "identity",
	} {
		if got := preferred([]string{field}).String(); got != want {
			t.Errorf("%q: %s, want %s", field, got, want)
		}
	}
	if got := preferred([]string{"gzip;q=0.5", "br;q=0.4"}).String(); got != "gzip br identity" {
		t.Errorf("two fields: %s", got)
	}
	if got := preferred(nil).String(); got != "identity" {
		t.Errorf("no field: %s", got)
	}
}

func TestReadingWhatBrowsersAcceptAllocatesNothing(t *testing.T) {
	h := http.Header{"Accept-Encoding": {"gzip, deflate, br;q=0.9, zstd, *;q=0.1"}, "Cache-Control": {"max-age=0"}}
	if n := testing.AllocsPerRun(100, func() {
		if p := preferred(h["Accept-Encoding"]); transformless(h) || p.n != 4 {
			t.Error("read wrongly")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, field := range []string{"gzip, br;q=0.5", "*;q=0,identity;q=1", "x-gzip;;q==,", "gzip;q=0.999999999999999999"} {
		f.Add(field)
	}
	f.Fuzz(func(t *testing.T, field string) {
		p := preferred([]string{field})
		if p.n < 1 || p.n > len(p.codings) {
			t.Fatalf("%d codings", p.n)
		}
		seen := map[coding]bool{}
		for _, c := range p.codings[:p.n] {
			if seen[c] || c > identity {
				t.Fatalf("%v", p)
			}
			seen[c] = true
			named := c == identity || strings.Contains(field, "*") || strings.Contains(strings.ToLower(field), contentEncoding[c][0])
			if !named {
				t.Fatalf("%s was not asked for with %q", contentEncoding[c][0], field)
			}
		}
		if !seen[identity] {
			t.Fatalf("%v without identity", p)
		}
	})
}
