package tls

import (
	"errors"
	"fmt"
	"strings"

	"github.com/smallstep/truststore"
)

// InstallRoot makes this machine trust the root certificate in the PEM file:
// the system's trust store and, where its tool is installed, that of Firefox
// and Chrome (NSS). It may call sudo, which may ask for a password. It can be
// repeated.
func InstallRoot(pemPath string) error {
	return change("trust", pemPath, manualInstall(pemPath), truststore.InstallFile)
}

// UninstallRoot undoes InstallRoot. It can be repeated.
func UninstallRoot(pemPath string) error {
	return change("stop trusting", pemPath, manualUninstall(pemPath), truststore.UninstallFile)
}

func change(verb, pemPath, manual string, do func(string, ...truststore.Option) error) error {
	if _, err := truststore.ReadCertificate(pemPath); err != nil {
		return fmt.Errorf("cannot %s the root certificate: %w", verb, err)
	}
	// The system first: it is what most programs use, and truststore would leave it out after an error with NSS.
	err := do(pemPath)
	switch {
	case errors.Is(err, truststore.ErrNotSupported), errors.Is(err, truststore.ErrTrustNotSupported):
		return fmt.Errorf("cannot %s the root certificate: the trust store of this system is not known here; the certificate is in %s", verb, pemPath)
	case err != nil:
		return fmt.Errorf("cannot %s the root certificate in the system's trust store: %w; by hand: %s", verb, output(err), manual)
	}
	nss, err := truststore.NewNSSTrust()
	if err != nil || nss.PreCheck() != nil {
		return nil // no tool, or no browser with a store of its own
	}
	if err := do(pemPath, truststore.WithTrust(nss), truststore.WithNoSystem()); err != nil {
		return fmt.Errorf("cannot %s the root certificate in the browsers' own trust stores, though the system's is done: %w; by hand: import %s as an authority in the browser's settings", verb, output(err), pemPath)
	}
	return nil
}

// output adds what a command wrote to its error.
func output(err error) error {
	var command *truststore.CmdError
	if errors.As(err, &command) {
		if text := strings.TrimSpace(string(command.Out())); text != "" {
			return fmt.Errorf("%w: %s", err, strings.ReplaceAll(text, "\n", "; "))
		}
	}
	return err
}
