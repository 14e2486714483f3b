package tls

import (
	"crypto/tls"
	"sync"
)

// ciphers are the names of all cipher suites: crypto/tls makes its list anew
// for each name.
var ciphers = sync.OnceValue(func() map[uint16]string {
	names := map[uint16]string{}
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		names[c.ID] = c.Name
	}
	return names
})

// CipherOf is the IANA name of the cipher suite that a handshake has agreed
// on, such as "TLS_AES_128_GCM_SHA256"; empty when none is known.
func CipherOf(state *ConnectionState) string {
	if state == nil {
		return ""
	}
	return ciphers()[state.CipherSuite]
}
