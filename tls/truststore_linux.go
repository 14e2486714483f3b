package tls

import (
	"fmt"
	"strings"

	"github.com/smallstep/truststore"
)

func manualInstall(pemPath string) string {
	return fmt.Sprintf("sudo cp %q %q && sudo %s", pemPath, manualFile(), strings.Join(truststore.SystemTrustCommand, " "))
}

func manualUninstall(pemPath string) string {
	return fmt.Sprintf("remove the copy of %s from the folder of %s, then sudo %s", pemPath, manualFile(), strings.Join(truststore.SystemTrustCommand, " "))
}

func manualFile() string { return fmt.Sprintf(truststore.SystemTrustFilename, "roost") }
