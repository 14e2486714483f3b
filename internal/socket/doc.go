// Package socket reads and writes sockets of the system for those who do either
// a hundred thousand times a second: at once where that is possible.
package socket
