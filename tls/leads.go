package tls

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

const (
	lookTime  = 5 * time.Second // for the resolver; a failure waits for no longer
	mostLeads = 4               // addresses that are told
)

// surroundings are what can be asked of where names lead; tests put others in their place.
type surroundings struct {
	// resolve asks the resolver of the system for the addresses of a name.
	resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	// own are the addresses of this box's interfaces.
	own func() []netip.Addr
}

var system = surroundings{
	resolve: func(ctx context.Context, name string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", name+".") // absolute: no search domains
	},
	own: func() (own []netip.Addr) {
		all, _ := net.InterfaceAddrs()
		for _, a := range all {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				own = append(own, p.Addr().Unmap())
			}
		}
		return own
	},
}

// explain is that of i, with where the name leads when a CA that connects to
// it met nobody, or somebody else.
func (c *Certs) explain(ctx context.Context, i *issuance, e *entry, err error) error {
	if stopped, ok := errors.AsType[notAllowed](err); ok {
		return stopped.error
	}
	said := i.explain(e.name, err)
	if e.internal || e.by != byPorts {
		return said
	}
	var all falls
	if !errors.As(err, &all) {
		return said
	}
	if slices.ContainsFunc(all, func(f fall) bool { return unmet(f.err) }) {
		if leads := c.around.leads(ctx, e.name); leads != "" {
			said.Text += "; " + leads
		}
	}
	return said
}

// leads says where name leads, as this box sees it; empty when it cannot tell
// what others see: its resolver does not answer, or has private addresses.
func (s surroundings) leads(ctx context.Context, name string) string {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	found, err := s.resolve(ctx, name)
	var absent *net.DNSError
	if errors.As(err, &absent) && absent.IsNotFound {
		return name + " has no address in the DNS"
	}
	if err != nil {
		return ""
	}
	return led(name, found, s.own())
}

// led is leads for the addresses that were found and those of the box. That an
// address is not the box's is only known where the box has public ones itself:
// others are reached by that of a router in front.
func led(name string, found, own []netip.Addr) string {
	var here, elsewhere []netip.Addr
	known := true // that the latter are not the box's
	for _, a := range found {
		a = a.Unmap()
		switch {
		case !a.IsGlobalUnicast() || internalAddr(a):
			return ""
		case slices.Contains(own, a):
			here = append(here, a)
		default:
			elsewhere = append(elsewhere, a)
			known = known && slices.ContainsFunc(own, func(o netip.Addr) bool {
				return o.Is4() == a.Is4() && o.IsGlobalUnicast() && !internalAddr(o)
			})
		}
	}
	var parts []string
	if len(here) > 0 {
		parts = append(parts, "to this box ("+addresses(here)+")")
	}
	if len(elsewhere) > 0 {
		part := "to " + addresses(elsewhere)
		if known {
			part += ", not to this box"
			if len(here) > 0 {
				part = "to " + addresses(elsewhere) + ", which is not"
			}
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return ""
	}
	return name + " leads " + strings.Join(parts, " and ")
}

func addresses(all []netip.Addr) string {
	slices.SortFunc(all, netip.Addr.Compare)
	var words []string
	for _, a := range all[:min(len(all), mostLeads)] {
		words = append(words, a.String())
	}
	if more := len(all) - mostLeads; more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, ", ")
}
