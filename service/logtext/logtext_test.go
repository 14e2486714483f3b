package logtext

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"roost/apps"
	"roost/internal/dateformat"
)

func print(o Options, lines ...apps.Line) string {
	var out strings.Builder
	p := New(&out, o)
	for _, l := range lines {
		p.Print(l)
	}
	return out.String()
}

var (
	at   = time.Date(2026, 11, 23, 1, 48, 48, 123_000_000, time.Local)
	line = apps.Line{Time: at.UTC(), App: "web", ID: 3, Slot: 1, Stream: "out", Text: `GET /a?b="c" <200>`}
	fail = apps.Line{App: "a-worker", ID: -1, Slot: -1, Stream: "err", Text: "no\ttime"}
)

func TestTheFormsOfALine(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"prefixed":   {Options{}, "3|web | GET /a?b=\"c\" <200>\na-worker | no\ttime\n"},
		"width":      {Options{Width: 10}, "3|web      | GET /a?b=\"c\" <200>\na-worker   | no\ttime\n"},
		"with times": {Options{Time: dateformat.Parse("HH:mm:ss.SSS")}, "01:48:48.123 3|web | GET /a?b=\"c\" <200>\na-worker | no\ttime\n"},
		"raw":        {Options{Form: Raw}, "GET /a?b=\"c\" <200>\nno\ttime\n"},
		"json": {Options{Form: JSON}, `{"time":"` + at.UTC().Format(time.RFC3339Nano) + `","app":"web","id":3,"slot":1,"stream":"out","text":"GET /a?b=\"c\" <200>"}` + "\n" +
			`{"app":"a-worker","id":-1,"slot":-1,"stream":"err","text":"no\ttime"}` + "\n"},
		"PM2's json": {Options{Form: PM2JSON}, `{"message":"GET /a?b=\"c\" <200>","timestamp":"` + at.UTC().Format(time.RFC3339Nano) + `","type":"out","process_id":3,"app_name":"web"}` + "\n" +
			`{"message":"no\ttime","type":"err","process_id":-1,"app_name":"a-worker"}` + "\n"},
		"logfmt": {Options{Form: Logfmt, Time: dateformat.Parse("HH:mm:ss")}, `timestamp=01:48:48 app=web id=3 type=out message="GET /a?b=\"c\" <200>"` + "\n" +
			`app=a-worker id=-1 type=error message="no\ttime"` + "\n"},
	} {
		if got := print(c.o, line, fail); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, c.want)
		}
	}
	if got := print(Options{Form: Logfmt}, line); !strings.HasPrefix(got, "timestamp=2026-11-23-01:48:48"+at.Format("-0700")+" app=web") {
		t.Errorf("logfmt without a format: %q", got)
	}
	if got := print(Options{Form: Logfmt}, apps.Line{Text: "plain"}); !strings.HasSuffix(got, " message=plain\n") {
		t.Errorf("%q", got)
	}
}

func TestColoursAreForTerminals(t *testing.T) {
	o := Options{Highlight: "no", Time: dateformat.Parse("HH")}
	if got := print(o, line, fail); strings.Contains(got, "\x1b") {
		t.Errorf("without colour: %q", got)
	}
	o.Colour = true
	if got, want := print(o, line), "\x1b[2m01\x1b[0m \x1b["+colourOf("web")+"m3|web |\x1b[0m GET /a?b=\"c\" <200>\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := print(o, fail), "\x1b[31ma-worker |\x1b[0m \x1b[7mno\x1b[27m\ttime\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestAReaderThatIsGoneIsTold(t *testing.T) {
	if err := New(broken{}, Options{}).Print(line); err == nil {
		t.Error("no error")
	}
}

// Whatever a program writes stays one line, and one that can be read back.
func FuzzForms(f *testing.F) {
	f.Add("web", "text")
	f.Add("a b", "\x00\xff \"=\\ \u2028")
	f.Fuzz(func(t *testing.T, app, text string) {
		if strings.ContainsAny(text+app, "\n") {
			return // no line has one
		}
		l := apps.Line{Time: at, App: app, Text: text}
		for _, form := range []Form{JSON, PM2JSON, Logfmt} {
			got := print(Options{Form: form}, l)
			if strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "\n") {
				t.Fatalf("%q", got)
			}
			if form != Logfmt && !json.Valid([]byte(got)) {
				t.Fatalf("%q is no JSON", got)
			}
		}
	})
}
