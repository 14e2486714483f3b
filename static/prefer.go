package static

import (
	"net/http"
	"slices"
	"strings"
)

// PrefersJSON compares the weights that Accept gives to JSON and to HTML (RFC
// 9110 section 12.5.1). Who accepts anything alike gets HTML.
func PrefersJSON(accept []string) bool {
	json, html := tastes(accept)
	return json.weight > html.weight
}

// namesHTML tells whether Accept asks for pages by name: not for anything at all, as programs do.
func namesHTML(accept []string) bool {
	_, html := tastes(accept)
	return html.specific == 3 && html.weight > 0
}

// taste is what the most specific range of Accept says of a type.
type taste struct {
	weight   int // in thousandths
	specific int // 3: named; 2: by its first half; 1: */*; 0: not at all
}

func (t *taste) hear(weight, specific int) {
	if specific > t.specific || specific == t.specific && weight > t.weight {
		t.weight, t.specific = weight, specific
	}
}

func tastes(accept []string) (json, html taste) {
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			kind, parameters, _ := strings.Cut(part, ";")
			w := weight(parameters)
			switch kind = strings.ToLower(strings.Trim(kind, " \t")); {
			case kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"):
				json.hear(w, 3)
			case kind == "text/html" || kind == "application/xhtml+xml":
				html.hear(w, 3)
			case kind == "application/*":
				json.hear(w, 2)
			case kind == "text/*":
				html.hear(w, 2)
			case kind == "*/*":
				json.hear(w, 1)
				html.hear(w, 1)
			}
		}
	}
	return json, html
}

// AddVary names a field of the request in Vary, once.
func AddVary(h http.Header, name string) {
	for _, line := range h["Vary"] {
		for said := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(said, " \t"), name) {
				return
			}
		}
	}
	h["Vary"] = append(slices.Clip(h["Vary"]), name)
}
