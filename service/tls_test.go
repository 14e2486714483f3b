package service

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"roost/service/control"
	"roost/tls"
)

func TestARenewalIsToldInTheWordsOfTheCA(t *testing.T) {
	d, b := three(t)
	renew := func(name string) (control.Certificate, []string, error) {
		var news []string
		got, err := d.Renew(t.Context(), control.RenewRequest{Name: name}, func(n string) { news = append(news, n) })
		return got, news, err
	}
	soon := time.Now().Add(time.Hour)
	b.certificates = []control.Certificate{
		{Name: "kept.example.com", Issuer: "letsencrypt", Expires: soon},
		{Name: "new.example.com", Issuer: "letsencrypt", Retry: soon},
	}
	got, news, err := renew("Kept.example.com.")
	if err != nil || got.Name != "kept.example.com" || len(news) != 1 || news[0] != "kept.example.com: waiting for a certificate by letsencrypt" {
		t.Errorf("%+v, %q, %v", got, news, err)
	}
	_, _, err = renew("kpt.example.com")
	wantError(t, "an unknown name", err, control.CodeNotFound, "did you mean kept.example.com?")
	b.renewal = fmt.Errorf("cannot renew: %w", &tls.Failure{Text: "letsencrypt says: too many (rateLimited)", Hint: "wait"})
	_, _, err = renew("kept.example.com")
	wantError(t, "a refusal", err, control.CodeFailed, "kept.example.com: cannot renew: letsencrypt says: too many (rateLimited)\nwait")
	b.renewal = errors.New("disk full")
	_, _, err = renew("kept.example.com")
	wantError(t, "a failure", err, control.CodeFailed, "disk full\nthe one that is there is served on, until "+soon.Local().Format(time.DateOnly))
	b.renewal = fmt.Errorf("tried 3 s ago: %w", tls.ErrSoon)
	_, _, err = renew("new.example.com")
	wantError(t, "too soon", err, control.CodeConflict, "leave it to roost, which does at "+soon.Local().Format("15:04:05"))
	all, err := d.Certificates(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}
