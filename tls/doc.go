// Package tls gives the box its certificates and does its handshakes. No other
// package imports crypto/tls.
package tls
