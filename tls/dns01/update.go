package dns01

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

// update is the provider rfc2136: a dynamic update (RFC 2136) over TCP, signed
// with a shared key (TSIG, RFC 8945).
type update struct {
	server string // with a port
	key    string
	secret func() (string, error)
}

func checkKey(secret string) error {
	if _, err := base64.StdEncoding.DecodeString(secret); err != nil {
		return errors.New("the secret is not a TSIG key in base64")
	}
	return nil
}

func (u update) change(ctx context.Context, verb string, r record) error {
	secret, err := u.secret()
	if err == nil {
		err = checkKey(secret)
	}
	if err != nil {
		return err
	}
	txt := []dns.RR{&dns.TXT{
		Hdr: dns.RR_Header{Name: dns.Fqdn(r.name), Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: uint32(ttl / time.Second)},
		Txt: []string{r.value},
	}}
	ask := new(dns.Msg)
	ask.SetUpdate(dns.Fqdn(r.zone))
	if verb == present {
		ask.Insert(txt)
	} else {
		ask.Remove(txt) // this very record, none beside it (RFC 2136, section 2.5.4)
	}
	key := dns.CanonicalName(u.key)
	ask.SetTsig(key, dns.HmacSHA256, 300, time.Now().Unix())

	client := &dns.Client{Net: "tcp", Timeout: limit, TsigSecret: map[string]string{key: secret}}
	conn, err := client.DialContext(ctx, u.server)
	if err != nil {
		return fmt.Errorf("cannot reach the name server: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	answer, _, err := client.ExchangeWithConnContext(ctx, ask, conn)
	switch {
	case answer != nil && answer.Rcode != dns.RcodeSuccess: // errors about keys cannot be signed
		return u.refused(answer, r)
	case err != nil:
		return fmt.Errorf("cannot talk to the name server %s: %w", u.server, err)
	case answer.IsTsig() == nil: // RFC 8945, section 5.3
		return fmt.Errorf("the name server %s did not sign its answer, so it may be anybody's", u.server)
	}
	return nil
}

// refused says what the answer of the name server means.
func (u update) refused(answer *dns.Msg, r record) error {
	if t := answer.IsTsig(); t != nil {
		switch t.Error {
		case dns.RcodeBadKey:
			return fmt.Errorf("the name server %s knows no key %q of hmac-sha256: see key_name", u.server, u.key)
		case dns.RcodeBadSig:
			return fmt.Errorf("the name server %s has another secret for the key %q", u.server, u.key)
		case dns.RcodeBadTime:
			return fmt.Errorf("the clocks of the name server %s and of this box are more than 5 minutes apart", u.server)
		}
	}
	switch answer.Rcode {
	case dns.RcodeRefused:
		return fmt.Errorf("the name server %s does not let the key %q change %s (REFUSED): see its update policy", u.server, u.key, r.name)
	case dns.RcodeNotAuth, dns.RcodeNotZone:
		return fmt.Errorf("the name server %s is not the primary of the zone %s (%s)", u.server, r.zone, dns.RcodeToString[answer.Rcode])
	}
	return fmt.Errorf("the name server %s answers %s", u.server, dns.RcodeToString[answer.Rcode])
}
