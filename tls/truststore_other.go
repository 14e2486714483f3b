//go:build !linux && !darwin && !windows

package tls

func manualInstall(pemPath string) string {
	return "trust " + pemPath + " as your system's manual says"
}

func manualUninstall(pemPath string) string {
	return "remove " + pemPath + " as your system's manual says"
}
