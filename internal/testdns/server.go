// Package testdns is a name server for tests, in their process: the primary of
// one zone, which takes updates that are signed with its key (RFC 2136, RFC
// 8945), and says of every name that it is at 127.0.0.1.
package testdns

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Server is a running name server. Set what tests want wrong at any time.
type Server struct {
	// Addr is where it listens, by UDP and TCP. Zone has a final dot.
	Addr, Zone string

	mu       sync.Mutex
	txt      map[string][]string
	updates  int
	hidden   bool
	unsigned bool
	rcode    int
	tsig     uint16
}

// Start runs a server until the test ends. key is the name of its only TSIG
// key, secret that in base64.
func Start(t testing.TB, zone, key, secret string) *Server {
	t.Helper()
	s := &Server{Zone: dns.CanonicalName(zone), txt: map[string][]string{}}
	keys := map[string]string{dns.CanonicalName(key): secret}
	stream, packets := listen(t)
	s.Addr = stream.Addr().String()
	for _, server := range []*dns.Server{{Listener: stream}, {PacketConn: packets}} {
		server.TsigSecret = keys
		server.MsgAcceptFunc = func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }
		server.Handler = dns.HandlerFunc(s.answer)
		started, ended := make(chan struct{}), make(chan error, 1)
		server.NotifyStartedFunc = func() { close(started) }
		go func() { ended <- server.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			server.Shutdown()
			<-ended
		})
	}
	return s
}

// listen takes one port for both transports.
func listen(t testing.TB) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 20 {
		stream, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if packets, err := net.ListenPacket("udp", stream.Addr().String()); err == nil {
			return stream, packets
		}
		stream.Close() // another has the UDP port
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// TXT are the values of a name's records.
func (s *Server) TXT(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.txt[dns.CanonicalName(name)])
}

// Updates is how many updates were made.
func (s *Server) Updates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updates
}

// Hide keeps TXT records from queries, as a zone that is slow to be published.
func (s *Server) Hide(hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hidden = hidden
}

// Refuse answers updates with rcode, or with the error tsig about their key, until both are 0.
func (s *Server) Refuse(rcode int, tsig uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rcode, s.tsig = rcode, tsig
}

// Unsign leaves out the signature of answers.
func (s *Server) Unsign(unsigned bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsigned = unsigned
}

func (s *Server) answer(w dns.ResponseWriter, q *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := new(dns.Msg)
	a.SetReply(q)
	if q.Opcode == dns.OpcodeUpdate {
		s.update(w, q, a)
	} else if len(q.Question) == 1 {
		s.query(q.Question[0], a)
	}
	w.WriteMsg(a)
}

func (s *Server) query(q dns.Question, a *dns.Msg) {
	name := strings.ToLower(q.Name)
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: 1}
	switch {
	case q.Qtype == dns.TypeA:
		a.Answer = append(a.Answer, &dns.A{Hdr: header, A: net.IPv4(127, 0, 0, 1).To4()})
	case q.Qtype == dns.TypeSOA && name == s.Zone:
		a.Answer = append(a.Answer, &dns.SOA{Hdr: header, Ns: "ns." + s.Zone, Mbox: "ops." + s.Zone, Serial: 1, Refresh: 1, Retry: 1, Expire: 1, Minttl: 1})
	case q.Qtype == dns.TypeTXT && !s.hidden:
		for _, value := range s.txt[name] {
			a.Answer = append(a.Answer, &dns.TXT{Hdr: header, Txt: []string{value}})
		}
	}
}

func (s *Server) update(w dns.ResponseWriter, q, a *dns.Msg) {
	t := q.IsTsig()
	if t == nil {
		a.Rcode = dns.RcodeRefused
		return
	}
	wrong := s.tsig
	switch err := w.TsigStatus(); err {
	case nil:
	case dns.ErrSecret:
		wrong = dns.RcodeBadKey
	case dns.ErrTime:
		wrong = dns.RcodeBadTime
	default:
		wrong = dns.RcodeBadSig
	}
	switch {
	case wrong != 0:
		a.Rcode = dns.RcodeNotAuth
	case s.rcode != 0:
		a.Rcode = s.rcode
	case strings.ToLower(q.Question[0].Name) != s.Zone:
		a.Rcode = dns.RcodeNotAuth
	default:
		s.apply(q.Ns)
	}
	if !s.unsigned {
		a.SetTsig(t.Hdr.Name, t.Algorithm, 300, time.Now().Unix())
		a.IsTsig().Error = wrong
	}
}

// apply adds and removes single TXT records.
func (s *Server) apply(list []dns.RR) {
	s.updates++
	for _, rr := range list {
		txt, ok := rr.(*dns.TXT)
		if !ok {
			continue
		}
		name, value := strings.ToLower(txt.Hdr.Name), strings.Join(txt.Txt, "")
		s.txt[name] = slices.DeleteFunc(s.txt[name], func(v string) bool { return v == value })
		if txt.Hdr.Class == dns.ClassINET {
			s.txt[name] = append(s.txt[name], value)
		}
	}
}
