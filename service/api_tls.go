package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"roost/internal/nearest"
	"roost/internal/unit"
	"roost/service/control"
	"roost/tls"
)

// renewNews is how often a renewal that takes its time says that it does.
const renewNews = 15 * time.Second

// certificates says how each certificate stands.
func (a *api) certificates(echo.Context) (any, error) {
	return listed(a.box.Look().certificates), nil
}

// listed is never null, for those who read the JSON.
func listed(all []control.Certificate) []control.Certificate {
	if all == nil {
		return []control.Certificate{}
	}
	return all
}

// renew gets a new certificate and says how it stands then.
func (a *api) renew(ctx context.Context, r asked[control.RenewRequest]) (control.Certificate, error) {
	name, all := r.Request.Name, a.box.Look().certificates
	before, known := certificateOf(all, name)
	if !known {
		return control.Certificate{}, noCertificate(all, name)
	}
	result := make(chan error, 1)
	go func() { result <- a.box.Renew(ctx, name) }()
	start, tick := time.Now(), time.NewTicker(renewNews)
	defer tick.Stop()
	waiting := fmt.Sprintf("%s: waiting for a certificate by %s", before.Name, before.Issuer)
	r.progress(waiting)
	for {
		select {
		case err := <-result:
			all = a.box.Look().certificates
			after, _ := certificateOf(all, name)
			return after, notRenewed(err, all, after)
		case <-tick.C:
			r.progress(fmt.Sprintf("%s, for %s now", waiting, unit.Length(time.Since(start))))
		}
	}
}

func certificateOf(all []control.Certificate, name string) (control.Certificate, bool) {
	at := slices.IndexFunc(all, func(c control.Certificate) bool { return strings.EqualFold(c.Name, strings.TrimSuffix(name, ".")) })
	if at < 0 {
		return control.Certificate{}, false
	}
	return all[at], true
}

func noCertificate(all []control.Certificate, name string) error {
	e := &control.Error{Code: control.CodeNotFound, Message: "no certificate is wanted for " + name, Hint: "see what there is with: roost tls list"}
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	if near := nearest.Of(name, names); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", near)
	}
	return e
}

// notRenewed makes an error of a renewal fit for the socket.
func notRenewed(err error, all []control.Certificate, now control.Certificate) error {
	var failure *tls.Failure
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tls.ErrUnknown):
		return noCertificate(all, now.Name)
	case errors.Is(err, tls.ErrSoon):
		e := &control.Error{Code: control.CodeConflict, Message: oneLine(err), Hint: "try again in a minute"}
		if !now.Retry.IsZero() {
			e.Hint += ", or leave it to roost, which does at " + now.Retry.Local().Format("15:04:05")
		}
		return e
	}
	e := &control.Error{Code: control.CodeFailed, Message: now.Name + ": " + oneLine(err)}
	if errors.As(err, &failure) {
		e.Hint = failure.Hint
	}
	if e.Hint == "" {
		e.Hint = "see how it stands with: roost tls list"
		if time.Now().Before(now.Expires) {
			e.Hint = fmt.Sprintf("the one that is there is served on, until %s", now.Expires.Local().Format(time.DateOnly))
		}
	}
	return e
}
