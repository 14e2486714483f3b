package tls

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"roost/internal/durable"
)

// open makes a.root and a.intermediate usable: from memory, else from the
// files, else new. A root that cannot be read is an error, never a reason to
// make another one: every machine that trusts the old root would have to be
// told about the new one. The caller holds a.mu.
func (a *authority) open() error {
	if a.root == nil {
		root, err := a.openRoot()
		if err != nil {
			return err
		}
		a.root = root
	}
	if a.intermediate == nil {
		intermediate, err := a.openIntermediate()
		if err != nil {
			return err
		}
		a.intermediate = intermediate
	}
	if a.intermediate == nil || aging(a.intermediate.cert, a.root.cert) {
		if a.root.key == nil {
			// Until it really ends, the old intermediate is better than none.
			if a.intermediate != nil && time.Now().Before(a.intermediate.cert.NotAfter) {
				return nil
			}
			return fmt.Errorf("cannot make an intermediate certificate of the internal CA: %s holds no key; put the root's key back beside its certificate", a.rootFile())
		}
		fresh, err := newIntermediate(a.root)
		if err != nil {
			return fmt.Errorf("cannot make an intermediate certificate of the internal CA: %w", err)
		}
		if err := writeIdentity(a.intermediateFile(), fresh); err != nil {
			return err
		}
		a.intermediate = fresh
	}
	return nil
}

// aging reports whether less than a third of the intermediate's life is left, or
// less than a leaf should live, and another one would have more.
func aging(cert, root *x509.Certificate) bool {
	left := time.Until(cert.NotAfter)
	return (left < cert.NotAfter.Sub(cert.NotBefore)/3 || left < leafLife) && cert.NotAfter.Before(root.NotAfter)
}

func (a *authority) openRoot() (*identity, error) {
	root, err := readIdentity(a.rootFile())
	if errors.Is(err, fs.ErrNotExist) {
		if _, lost := os.Stat(a.intermediateFile()); lost == nil {
			err = errors.New("the file is missing, but not its intermediate")
		} else {
			return a.createRoot()
		}
	}
	if err == nil {
		err = checkRoot(root.cert)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot use the internal CA's root %s: %w; it is left as it is, for no machine that trusts it would trust a new one: "+
			"restore the file from a backup, or move the folder %s away to begin anew, and trust the new root everywhere (roost ca install)", a.rootFile(), err, a.dir)
	}
	if left := time.Until(root.cert.NotAfter); left < 180*24*time.Hour {
		a.log.Warn("the internal CA's root ends soon; move its folder away to begin anew, and trust the new root everywhere (roost ca install)",
			"folder", a.dir, "until", root.cert.NotAfter.Format(time.DateOnly))
	}
	if text, err := os.ReadFile(a.rootCopy()); err != nil || !bytes.Equal(text, certificatePEM(root.cert.Raw)) {
		if err := durable.WriteFile(a.rootCopy(), certificatePEM(root.cert.Raw), 0o600); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func checkRoot(cert *x509.Certificate) error {
	switch {
	case !cert.IsCA:
		return errors.New("it is not the certificate of a CA")
	case time.Now().After(cert.NotAfter):
		return fmt.Errorf("it ended on %s", cert.NotAfter.Format(time.DateOnly))
	}
	return cert.CheckSignatureFrom(cert)
}

func (a *authority) createRoot() (*identity, error) {
	root, err := newRoot()
	if err != nil {
		return nil, fmt.Errorf("cannot make the internal CA: %w", err)
	}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the internal CA: %w", err)
	}
	// Certificate and key are one file: after a crash there are both or none.
	if err := writeIdentity(a.rootFile(), root); err != nil {
		return nil, err
	}
	if err := durable.WriteFile(a.rootCopy(), certificatePEM(root.cert.Raw), 0o600); err != nil {
		return nil, err
	}
	a.log.Info("made the internal CA", "root", a.rootCopy(), "name", root.cert.Subject.CommonName, "until", root.cert.NotAfter.Format(time.DateOnly))
	return root, nil
}

// openIntermediate returns the stored intermediate, or nil when one has to be
// made. Unlike the root, one that is damaged can be replaced without anybody
// noticing; it is moved aside all the same, for somebody may want to know.
func (a *authority) openIntermediate() (*identity, error) {
	path := a.intermediateFile()
	found, err := readIdentity(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var trouble *fs.PathError
	if errors.As(err, &trouble) {
		return nil, err // the disk's trouble, not the file's
	}
	if err == nil && found.key == nil {
		err = errors.New("it holds no key")
	}
	if err == nil {
		err = found.cert.CheckSignatureFrom(a.root.cert)
	}
	if err == nil {
		return found, nil
	}
	aside := path + ".corrupt-" + time.Now().UTC().Format("20060102T150405Z")
	if moved := os.Rename(path, aside); moved != nil {
		return nil, fmt.Errorf("cannot move the damaged %s aside: %w", path, moved)
	}
	a.log.Warn("the internal CA's intermediate was damaged; making a new one, which clients trust as before", "error", err, "kept", aside)
	return nil, nil
}

// readIdentity reads a PEM file of one certificate and, maybe, its key.
func readIdentity(path string) (*identity, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var id identity
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		switch block.Type {
		case "CERTIFICATE":
			if id.cert, err = x509.ParseCertificate(block.Bytes); err != nil {
				return nil, fmt.Errorf("its certificate cannot be read: %w", err)
			}
		case "PRIVATE KEY":
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("its key cannot be read: %w", err)
			}
			signer, ok := key.(crypto.Signer)
			if !ok {
				return nil, fmt.Errorf("its key, a %T, cannot sign", key)
			}
			id.key = signer
		}
	}
	if id.cert == nil {
		return nil, errors.New("it holds no certificate in PEM form")
	}
	if len(bytes.TrimSpace(text)) > 0 {
		return nil, errors.New("it is cut off, or holds something that is not in PEM form")
	}
	if id.key != nil {
		pub, ok := id.key.Public().(interface{ Equal(crypto.PublicKey) bool })
		if !ok || !pub.Equal(id.cert.PublicKey) {
			return nil, errors.New("its key is not that of its certificate")
		}
	}
	return &id, nil
}

func writeIdentity(path string, id *identity) error {
	key, err := x509.MarshalPKCS8PrivateKey(id.key)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	text := append(certificatePEM(id.cert.Raw), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	return durable.WriteFile(path, text, 0o600)
}
