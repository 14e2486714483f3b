package tls

import "fmt"

func manualInstall(pemPath string) string {
	return fmt.Sprintf("sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain %q", pemPath)
}

func manualUninstall(pemPath string) string {
	return fmt.Sprintf("sudo security remove-trusted-cert -d %q", pemPath)
}
