package cli

import (
	"strings"
	"testing"
	"time"

	"roost/service/control"
)

func TestCertificatesOnDemandAreMarked(t *testing.T) {
	var text strings.Builder
	all := []control.Certificate{{Name: "a.example.com", State: "valid", Issuer: "letsencrypt"}, {Name: "b.example.com", State: "valid", Issuer: "letsencrypt", OnDemand: true}}
	if err := certificateTable(all, time.Now()).write(&text, func(_, text string) string { return text }); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	if strings.Contains(lines[1], "on demand") || !strings.Contains(lines[2], "letsencrypt (on demand)") {
		t.Errorf("%s", text.String())
	}
}
