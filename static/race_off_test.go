//go:build !race

package static

const raced = false
