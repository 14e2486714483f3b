package dns01

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// acmeDNS is the provider acme-dns: a name server that answers with the last
// two values it was given for an account's subdomain, to which
// _acme-challenge.<domain> is a CNAME. There is nothing to remove.
type acmeDNS struct {
	url    string
	secret func() (string, error)
}

// account is what the server's /register answers.
type account struct {
	Username  string `json:"username"`
	Password  string `json:"password"`
	Subdomain string `json:"subdomain"`
}

func (a account) complete() bool { return a.Username != "" && a.Password != "" && a.Subdomain != "" }

// readAccounts reads accounts by domain, as the clients of acme-dns keep them;
// or a single one, which is for all domains and comes under "".
func readAccounts(text string) (map[string]account, error) {
	wrong := errors.New(`the accounts are neither the JSON of acme-dns' /register nor {"example.com": ...} with such`)
	var one account
	if err := json.Unmarshal([]byte(text), &one); err == nil && one.complete() {
		return map[string]account{"": one}, nil
	}
	var all map[string]account
	if err := json.Unmarshal([]byte(text), &all); err != nil || len(all) == 0 {
		return nil, wrong
	}
	for _, a := range all {
		if !a.complete() {
			return nil, wrong
		}
	}
	return all, nil
}

func (a acmeDNS) change(ctx context.Context, verb string, r record) error {
	if verb == cleanup {
		return nil
	}
	secret, err := a.secret()
	if err != nil {
		return err
	}
	all, err := readAccounts(secret)
	if err != nil {
		return err
	}
	domain := strings.TrimPrefix(r.name, "_acme-challenge.")
	own, ok := all[domain]
	if !ok {
		own, ok = all[""]
	}
	if !ok {
		return fmt.Errorf("there is no account for %s: register one at the server and add it", domain)
	}
	return post(ctx, a.url, http.Header{"X-Api-User": {own.Username}, "X-Api-Key": {own.Password}},
		map[string]string{"subdomain": own.Subdomain, "txt": r.value})
}
