package static

import "testing"

func TestAcceptDecidesBetweenJSONAndHTML(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "text/html": false, "application/json": true, "application/json, */*": false,
		"application/json, text/html;q=0.9": true, "text/html, application/json;q=0.9": false, "application/problem+json": true,
		"application/*": true, "application/json;q=0": false, "text/html;q=0, */*": true, "application/vnd.api+json": true, "nonsense": false,
		"application/json;q=2": true, "text/html, application/json;q=x": false, "*/*;q=0.1, application/json;q=0.5": true,
	} {
		values := []string{accept}
		if accept == "" {
			values = nil
		}
		if got := PrefersJSON(values); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}

func TestOnlyThoseWhoNameHTMLGetAPage(t *testing.T) {
	for accept, want := range map[string]bool{
		"text/html": true, "TEXT/HTML;q=0.1": true, "application/xhtml+xml": true, "text/html,application/xhtml+xml,*/*;q=0.8": true,
		"": false, "*/*": false, "text/*": false, "text/html;q=0": false, "text/html;q=0, */*": false, "text/htmlx": false, "application/json": false,
	} {
		if got := namesHTML([]string{accept}); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}
