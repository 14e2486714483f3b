//go:build !linux

package host

import "net"

// listenConfig has each connection be told to ask whether its client is still there.
var listenConfig net.ListenConfig
