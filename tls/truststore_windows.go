package tls

import "fmt"

func manualInstall(pemPath string) string {
	return fmt.Sprintf("certutil -addstore -f ROOT %q (as administrator)", pemPath)
}

func manualUninstall(pemPath string) string {
	return fmt.Sprintf("remove the certificate of %q from \"Trusted Root Certification Authorities\" in certmgr.msc (as administrator)", pemPath)
}
