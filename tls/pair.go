package tls

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// pair is a certificate and its key in two files that somebody else writes.
// Their content is taken over when both have been as they are for two looks,
// and only together: what cannot be used leaves the pair from before serving.
type pair struct {
	files [2]string // certificate, key

	mu    sync.Mutex // guards all below
	taken stamp      // of the files as they were last read
	seen  stamp      // of the files at the last look
	early bool       // what was read is good from a later time on
	cert  *tls.Certificate
	wrong *Complaint // with what was last read; nil: cert is that
	err   error      // what there is to say of it now
}

// stamp is how two files look from outside; nil where there is none.
type stamp [2]fs.FileInfo

func stampOf(files [2]string) (s stamp) {
	for i, file := range files {
		s[i], _ = os.Stat(file) // of what a symbolic link leads to
	}
	return s
}

func (s stamp) equal(other stamp) bool {
	for i, a := range s {
		b := other[i]
		if (a == nil) != (b == nil) {
			return false
		}
		if a != nil && !(os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())) {
			return false
		}
	}
	return true
}

// newPair reads the files. A certificate that is out of its time is served
// when there is no other: clients say what is wrong with it.
func newPair(cert, key string, now time.Time) *pair {
	p := &pair{files: [2]string{cert, key}}
	p.seen = stampOf(p.files)
	p.read(now)
	return p
}

// look takes over what the files have become, and reports whether there is
// something else to serve or to say than before.
func (p *pair) look(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	cert, said := p.cert, fmt.Sprint(p.err)
	is, was := stampOf(p.files), p.seen
	p.seen = is
	switch {
	case !is.equal(was): // it may go on; so may the writing of the other file
	case !is.equal(p.taken) || p.early:
		p.read(now)
	default:
		p.judge(now)
	}
	return cert != p.cert || said != fmt.Sprint(p.err)
}

// read reads the files, unless they change meanwhile.
func (p *pair) read(now time.Time) {
	before := p.seen
	cert, wrong := readPair(p.files[0], p.files[1])
	p.seen = stampOf(p.files)
	if !p.seen.equal(before) && p.cert != nil {
		return
	}
	p.taken, p.early = before, false
	if wrong == nil && p.cert != nil {
		wrong = timely(p.files[0], cert.Leaf, now)
		p.early = wrong != nil && now.Before(cert.Leaf.NotBefore)
	}
	if p.wrong = wrong; wrong == nil {
		p.cert = cert
	}
	p.judge(now)
}

// judge says what is wrong now.
func (p *pair) judge(now time.Time) {
	wrong, rest := p.wrong, "; what was there before is served"
	if p.cert == nil {
		rest = ""
	} else if wrong == nil {
		wrong, rest = timely(p.files[0], p.cert.Leaf, now), ""
	}
	if p.err = nil; wrong != nil {
		p.err = &Failure{wrong.What + rest, wrong.Hint}
	}
}

// state is what to serve, nil for nothing, and what is wrong.
func (p *pair) state() (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cert, p.err
}

// readPair reads a certificate with its chain, and its key. The complaint is
// about the key "cert" or "key".
func readPair(certFile, keyFile string) (*tls.Certificate, *Complaint) {
	certs, wrong := readPEM("cert", certFile)
	if wrong != nil {
		return nil, wrong
	}
	key, wrong := readPEM("key", keyFile)
	if wrong != nil {
		return nil, wrong
	}
	chain := blocks(certs, func(kind string) bool { return kind == "CERTIFICATE" })
	if len(chain) == 0 {
		return nil, &Complaint{"cert", certFile + " holds no certificate in PEM form", "name the file with the BEGIN CERTIFICATE blocks, that of the site first"}
	}
	leaf, err := x509.ParseCertificate(chain[0].Bytes)
	if err != nil {
		return nil, &Complaint{"cert", fmt.Sprintf("cannot read the certificate in %s: %v", certFile, err), "get it anew"}
	}
	keys := blocks(key, func(kind string) bool { return strings.HasSuffix(kind, "PRIVATE KEY") })
	switch {
	case len(keys) == 0:
		return nil, &Complaint{"key", keyFile + " holds no private key in PEM form", "name the file with the BEGIN PRIVATE KEY block"}
	case keys[0].Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(keys[0].Headers["Proc-Type"], "ENCRYPTED"):
		return nil, &Complaint{"key", "the key in " + keyFile + " is encrypted, and nobody is there to say the password", "write it without: openssl pkey -in " + keyFile + " -out plain.pem"}
	}
	cert, err := tls.X509KeyPair(certs, key)
	if err == nil {
		cert.Leaf = leaf
		return &cert, nil
	}
	signer, badKey := parseKey(keys[0].Bytes)
	if badKey != nil {
		return nil, &Complaint{"key", fmt.Sprintf("cannot read the key in %s: %v", keyFile, badKey), "want an RSA, ECDSA or Ed25519 key, as openssl and ACME clients write it"}
	}
	for _, b := range chain[1:] {
		if other, err := x509.ParseCertificate(b.Bytes); err == nil && matches(other, signer) {
			return nil, &Complaint{"cert", fmt.Sprintf("the first certificate in %s is not that of the key", certFile), "put the one for the site first, and those of its CA behind it"}
		}
	}
	if !matches(leaf, signer) {
		return nil, &Complaint{"key", fmt.Sprintf("the key in %s is not that of the certificate in %s", keyFile, certFile), "name the two files that were made together"}
	}
	return nil, &Complaint{"cert", fmt.Sprintf("cannot use the certificate in %s: %v", certFile, err), "get it anew"}
}

// readPEM reads a file of a size that certificates and keys have.
func readPEM(key, file string) ([]byte, *Complaint) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		return nil, &Complaint{key, file + " is not a file", "name a PEM file"}
	case info.Size() > 1<<20:
		return nil, &Complaint{key, file + " is too large for a certificate", "name a PEM file"}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, &Complaint{key, fmt.Sprintf("cannot read the file: %v", err), "name a PEM file that this user can read"}
	}
	return text, nil
}

func blocks(text []byte, want func(kind string) bool) (found []*pem.Block) {
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			return found
		}
		if want(b.Type) {
			found = append(found, b)
		}
	}
}

// parseKey reads a private key in any of the three forms that there are.
func parseKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign", key)
	}
	return signer, nil
}

func matches(cert *x509.Certificate, key crypto.Signer) bool {
	a, errA := x509.MarshalPKIXPublicKey(cert.PublicKey)
	b, errB := x509.MarshalPKIXPublicKey(key.Public())
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// timely complains of a certificate whose time has passed or has not come.
func timely(file string, leaf *x509.Certificate, now time.Time) *Complaint {
	const form = "2006-01-02 15:04 MST"
	switch {
	case now.After(leaf.NotAfter):
		return &Complaint{"cert", fmt.Sprintf("the certificate in %s expired on %s", file, leaf.NotAfter.UTC().Format(form)), "put a renewed one there"}
	case now.Before(leaf.NotBefore):
		return &Complaint{"cert", fmt.Sprintf("the certificate in %s is not valid before %s", file, leaf.NotBefore.UTC().Format(form)), "wait, or set the clock of this box"}
	}
	return nil
}

// uncovered says for which of names, in canonical form, a certificate is not; nil when it is for all.
func uncovered(file string, leaf *x509.Certificate, names ...string) error {
	var not []string
	for _, name := range names {
		ask := name
		if base, ok := strings.CutPrefix(name, "*."); ok {
			ask = "any-name-below." + base
		}
		if leaf.VerifyHostname(ask) != nil {
			not = append(not, name)
		}
	}
	if len(not) == 0 {
		return nil
	}
	is := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		is = append(is, ip.String())
	}
	if len(is) == 0 {
		is = []string{"no name at all"}
	}
	return &Failure{
		fmt.Sprintf("the certificate in %s is not for %s but for %s: clients will refuse it", file, strings.Join(not, ", "), strings.Join(is, ", ")),
		"put one there that is for all domains of the site",
	}
}
