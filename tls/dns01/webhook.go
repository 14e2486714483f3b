package dns01

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// webhook is the provider webhook: an endpoint that is told what to change, and
// answers 2xx when that is done.
type webhook struct {
	url    string
	secret func() (string, error) // nil: the endpoint wants none
}

// checkToken reports whether secret can be a bearer token (RFC 6750, section 2.1).
func checkToken(secret string) error {
	for _, b := range []byte(secret) {
		if b <= ' ' || b >= 0x7f {
			return errors.New("the secret is not a bearer token: it has spaces or characters beyond ASCII")
		}
	}
	return nil
}

func (w webhook) change(ctx context.Context, verb string, r record) error {
	header := http.Header{}
	if w.secret != nil {
		secret, err := w.secret()
		if err == nil {
			err = checkToken(secret)
		}
		if err != nil {
			return err
		}
		header.Set("Authorization", "Bearer "+secret)
	}
	return post(ctx, w.url, header, map[string]string{"action": verb, "zone": r.zone, "name": r.name, "value": r.value})
}

// client follows nobody elsewhere with a secret, and keeps no connection for
// the next order, which may be weeks away.
var client = &http.Client{
	Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post sends body as JSON. An answer other than 2xx is an error with its first
// words. No error has the query of an address: there may be a secret in it.
func post(ctx context.Context, address string, header http.Header, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header = header
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if of := (*url.Error)(nil); errors.As(err, &of) {
		return fmt.Errorf("%s: %w", request.URL.Host, of.Err)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if response.StatusCode/100 == 2 {
		return nil
	}
	words := strings.Join(strings.Fields(string(said)), " ")
	switch to := response.Header.Get("Location"); {
	case response.StatusCode/100 == 3 && to != "":
		to, _, _ = strings.Cut(to, "?")
		words = "it has moved to " + to
	case words == "" && err != nil:
		words = err.Error()
	case words == "":
		return fmt.Errorf("%s answers %s", request.URL.Host, response.Status)
	}
	return fmt.Errorf("%s answers %s: %s", request.URL.Host, response.Status, words)
}
