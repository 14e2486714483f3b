package apps

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/netip"
	"slices"
)

// The values of Config.Sticky.
const (
	stickyCookie = "cookie"
	stickyIP     = "ip"
)

// stickiness leads the requests of a client to the same slot, so that they
// find what the instance before has kept for them as far as instances keep it:
// a reload changes the instance of a slot, not the client's slot. A client
// whose slot has no working instance goes to another, and stays there.
type stickiness struct {
	by     string
	app    string
	cookie string
}

// newStickiness is nil when clients go to any instance.
func newStickiness(by, app string) *stickiness {
	if by == "" {
		return nil
	}
	return &stickiness{by, app, "roost_" + SafeName(app)}
}

// tokens are the cookies' values of the endpoints' slots; nil without cookies.
func (k *stickiness) tokens(ready []*endpoint) (tokens []string) {
	if k == nil || k.by != stickyCookie {
		return nil
	}
	for _, e := range ready {
		tokens = append(tokens, k.token(e.slot))
	}
	return tokens
}

// token is what the cookie says of a slot, the same for ever. It hides no
// secret: a client that makes one up chooses its instance.
func (k *stickiness) token(slot int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "slot %d of %s", slot, k.app))
	return hex.EncodeToString(sum[:8])
}

// stick claims the endpoint of the client's slot; nil when any will do.
func (s *snapshot) stick(r *http.Request, tried []*endpoint) *endpoint {
	usable := func(e *endpoint) bool { return e.health.in() && !slices.Contains(tried, e) }
	if s.sticky.by == stickyCookie {
		for _, c := range r.CookiesNamed(s.sticky.cookie) {
			i := slices.Index(s.tokens, c.Value)
			if i >= 0 && usable(s.ready[i]) && s.ready[i].acquire() {
				return s.ready[i]
			}
		}
		return nil
	}
	// rendezvous hashing: without a slot only its own clients go elsewhere, and they come back
	client := clientKey(r.RemoteAddr)
	var best *endpoint
	most := uint64(0)
	for _, e := range s.ready {
		if weight := weigh(client, e.slot); usable(e) && (best == nil || weight > most) {
			best, most = e, weight
		}
	}
	if best == nil || !best.acquire() {
		return nil
	}
	return best
}

// clientKey is what tells clients apart: the address, and of IPv6 the network
// of 64 bits, in which one client has many (RFC 8981).
func clientKey(remote string) netip.Prefix {
	ip := clientIP(remote)
	p, _ := ip.Prefix(min(64, ip.BitLen()))
	return p
}

func weigh(client netip.Prefix, slot int) uint64 {
	h := fnv.New64a()
	b := client.Addr().As16()
	h.Write(b[:])
	h.Write([]byte{byte(slot), byte(slot >> 8)})
	// FNV's last bytes hardly reach its upper bits: mix (the finalizer of MurmurHash3)
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// mark gives the client the cookie of e's slot.
func (k *stickiness) mark(w http.ResponseWriter, r *http.Request, e *endpoint) {
	http.SetCookie(w, &http.Cookie{
		Name: k.cookie, Value: k.token(e.slot), Path: "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	})
}
