// Roost serves static sites and keeps apps running on one box, over HTTPS.
package main

import (
	"os"

	"roost/service/cli"
)

func main() { os.Exit(cli.Main(os.Args, os.Stdout, os.Stderr)) }
