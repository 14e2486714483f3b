// Package static serves a folder over HTTP. Files are found in an immutable
// asset table that follows the folder, and read only through os.Root, so no
// request can reach what lies outside.
package static
