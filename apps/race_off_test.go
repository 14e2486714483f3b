//go:build !race

package apps

const raced = false
