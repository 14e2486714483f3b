// Roost serves static sites and keeps apps running on one box, over HTTPS.
package main

import (
	"os"

	"roost/service/cli"
	"roost/service/pm2"
)

func main() {
	if pm2.Runs(os.Args[0]) {
		os.Exit(pm2.Main(os.Args, os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(cli.Main(os.Args, os.Stdout, os.Stderr))
}
