package host

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// logFormats are those that have a name. They are templates like any other:
// what holds for one holds for all.
var logFormats = map[string]string{
	"json": `{"time":"$time","site":"$site","client":"$remote_addr","user":"$remote_user","method":"$request_method","host":"$http_host",` +
		`"path":"$request_uri","proto":"$server_protocol","status":$status,"bytes":$body_bytes_sent,"duration_ms":$duration_ms,` +
		`"referer":"$http_referer","user_agent":"$http_user_agent","lane":"$lane","app":"$app","tls":"$tls"}`,
	"combined": `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`,
}

// logFormat is a template compiled: texts, each followed by a field. It never
// changes. A template that begins with a brace is of JSON; in any other a field
// without a value is a dash.
type logFormat struct {
	items []logItem
	end   string // behind the last field
	json  bool
	// tellsAnswer: fields of the answer are among the items.
	tellsAnswer bool
	redaction
}

type logItem struct {
	text  string // before the field
	field *logField
	name  string   // of a header field, canonical
	hide  bool     // its value
	stops *charset // what a value must not have as it is
}

// newLogFormat compiles what Listen says, or tells what is wrong with its format.
func newLogFormat(template string, r *LogRedaction) (f *logFormat, what, hint string) {
	switch named, known := logFormats[template]; {
	case template == "":
		template = logFormats["json"]
	case known:
		template = named
	case !strings.Contains(template, "$"):
		if hint = didYouMean(template, slices.Collect(maps.Keys(logFormats))); hint == "" {
			hint = `want "json", "combined" or a template such as "$remote_addr $request_uri $status"`
		}
		return nil, fmt.Sprintf("unknown access_log_format %q", template), hint
	}
	if strings.ContainsFunc(template, func(c rune) bool { return c < ' ' && c != '\t' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 }) {
		return nil, "access_log_format has a line break or a control character", "write one line; a tab may stand in it"
	}
	f = &logFormat{json: template[0] == '{', redaction: newRedaction(r)}
	if what, hint = f.parse(template, ""); what != "" {
		return nil, what, hint
	}
	f.separate()
	if sample := f.sample(); f.json && !json.Valid(sample) {
		return nil, "access_log_format begins with a brace and is no JSON object", fmt.Sprintf("write fields that are not always numbers in quotes; filled in it is %s", sample)
	}
	return f, "", ""
}

// logFormat is what l says of it; validated before, the default is for what is kept of another version.
func (l Listen) logFormat() *logFormat {
	f, what, _ := newLogFormat(l.AccessLogFormat, l.AccessLogRedact)
	if what != "" {
		f, _, _ = newLogFormat("", l.AccessLogRedact)
	}
	return f
}

// parse adds the texts and fields of a template, the first text after before.
func (f *logFormat) parse(template, before string) (what, hint string) {
	for {
		text, rest, more := strings.Cut(template, "$")
		before += text
		if !more {
			f.end = before
			return "", ""
		}
		if strings.HasPrefix(rest, "$") {
			before, template = before+"$", rest[1:]
			continue
		}
		var name string
		if inner, braced := strings.CutPrefix(rest, "{"); braced {
			if name, template, more = strings.Cut(inner, "}"); !more {
				return "access_log_format: ${ without }", "close it, or write $$ for the character itself"
			}
		} else {
			name = rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"))]
			template = rest[len(name):]
		}
		if name == "" {
			return "access_log_format: a $ without a field behind it", "name one, or write $$ for the character itself"
		}
		if name == "request" {
			if what, hint = f.parse("$request_method $request_uri $server_protocol", before); what != "" {
				return what, hint
			}
			before, f.end = f.end, ""
			continue
		}
		item, known := newLogItem(name)
		if !known {
			hint = "the fields are in docs/static.md; a header field is $http_name, of the answer $sent_http_name"
			if alike := didYouMean(name, append(slices.Collect(maps.Keys(logFields)), "request")); logFieldsOfNginx[name] != "" {
				hint = "nearest to nginx's is $" + logFieldsOfNginx[name]
			} else if alike != "" {
				hint = alike
			}
			return "access_log_format: unknown field $" + name, hint
		}
		item.text, before = before, ""
		item.hide = f.hidesField(item.name)
		f.tellsAnswer = f.tellsAnswer || item.field == answerField
		f.items = append(f.items, item)
	}
}

func newLogItem(name string) (item logItem, known bool) {
	if item.field = logFields[name]; item.field != nil {
		return item, true
	}
	item.field = requestField
	header, ok := strings.CutPrefix(name, "http_")
	if !ok {
		item.field = answerField
		header, ok = strings.CutPrefix(name, "sent_http_")
	}
	item.name = canonicalField(header)
	return item, ok && httpguts.ValidHeaderFieldName(header)
}

// separate finds for each field what its value must not have, so that nobody
// can make one field two: quotes, backslashes, and where it stands outside of
// quotes the first characters of what follows such fields, elsewhere that of
// what follows itself. (In JSON the first two do.)
func (f *logFormat) separate() {
	base := (&charset{}).with(`"\`)
	open, quoted, outside := *base, false, make([]bool, len(f.items))
	for i := range f.items {
		it := &f.items[i]
		if strings.Count(it.text, `"`)%2 == 1 {
			quoted = !quoted
		}
		it.stops = base
		if f.json {
			continue
		}
		next := f.end
		for j := len(f.items) - 1; j > i; j-- {
			if f.items[j].text != "" {
				next = f.items[j].text
			}
		}
		if next != "" {
			next = next[:1]
		}
		if outside[i] = !quoted; quoted {
			own := *base
			it.stops = own.with(next)
		} else {
			open.with(next)
		}
	}
	for i := range f.items {
		if outside[i] {
			f.items[i].stops = &open
		}
	}
}

// sample is a line with x for texts and 1 for numbers.
func (f *logFormat) sample() (b []byte) {
	for i := range f.items {
		b = append(b, f.items[i].text...)
		if f.items[i].field.number {
			b = append(b, '1')
		} else {
			b = append(b, 'x')
		}
	}
	return append(b, f.end...)
}

// append writes the line of an exchange that has ended. It allocates nothing.
func (f *logFormat) append(b []byte, x *exchange, took time.Duration) []byte {
	for i := range f.items {
		it := &f.items[i]
		b = append(b, it.text...)
		begun := len(b)
		b = it.field.append(b, f, it, x, took)
		switch {
		case len(b) == begun && !f.json:
			b = append(b, '-')
		case len(b) > begun && it.hide:
			b = append(b[:begun], redacted...)
		}
	}
	b = append(b, f.end...)
	return append(b, '\n')
}
