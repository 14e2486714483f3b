package nearest

import "testing"

func TestASlipOfTheHandIsUnderstood(t *testing.T) {
	names := []string{"domains", "root", "style.css", "redirect_https", "a"}
	for word, want := range map[string]string{
		"domain": "domains", "doamins": "domains", "Root": "root", "stlye.css": "style.css", "redirect-https": "redirect_https",
		"": "", "b": "", "quite-another": "", "root": "root",
	} {
		if got := Of(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
