package tls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// zeroSSLURL gives out credentials for an e-mail address (https://zerossl.com/documentation/acme/).
const zeroSSLURL = "https://api.zerossl.com/acme/eab-credentials-email"

// zerossl fetches the credentials without which ZeroSSL makes no account
// (external account binding, RFC 8555, section 7.3.4). certmagic calls it
// before it makes one, while it holds the issuer's lock.
func (c *Certs) zerossl(ctx context.Context, issuer *certmagic.ACMEIssuer, account acme.Account) (acme.Account, error) {
	form := url.Values{"email": {issuer.Email}}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.zeroSSLURL, strings.NewReader(form.Encode()))
	if err != nil {
		return account, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return account, fmt.Errorf("cannot get credentials from ZeroSSL: %w", err)
	}
	defer response.Body.Close()
	var answer struct {
		Success bool `json:"success"`
		Error   struct {
			Code int    `json:"code"`
			Type string `json:"type"`
		} `json:"error"`
		KeyID   string `json:"eab_kid"`
		HMACKey string `json:"eab_hmac_key"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer)
	switch {
	case err != nil:
		err = fmt.Errorf("status %d: %w", response.StatusCode, err)
	case answer.Error.Code != 0:
		err = fmt.Errorf("%s (%d)", answer.Error.Type, answer.Error.Code)
	case !answer.Success || answer.KeyID == "" || answer.HMACKey == "":
		err = errors.New("there are none in its answer")
	}
	if err != nil {
		return account, fmt.Errorf("cannot get credentials from ZeroSSL: %w", err)
	}
	issuer.ExternalAccount = &acme.EAB{KeyID: answer.KeyID, MACKey: answer.HMACKey}
	if len(account.Contact) == 0 {
		account.Contact = []string{"mailto:" + issuer.Email}
	}
	return account, nil
}
