// Package static serves a folder over HTTP.
//
//	request ──> rules ──> lookup ──> asset table ──> variant ──> conditionals, ranges ──> bytes in memory
//	                                    ^  one immutable snapshot                     └─> file (sendfile)
//	                                    │  behind an atomic pointer
//	               scan (os.Root) ──────┘
//	                  ^
//	               follow: fsnotify, or polling where that fails
//
// A request finds its file in the table and nowhere else: a path that no scan
// has seen leads to no file, whatever it is spelt like. The bytes of what lies
// in the folder are read only through os.Root (tree.go): what is opened is what
// the scan has met, or it is made sure that no link is on the way to it, so that
// links that change between scan and request lead nowhere that they may not.
//
// Which of its possible paths a page is served at is a function of the table,
// Serving.HTMLHandling and the path (pages.go); its other paths are redirected
// there. A path that leads to nothing is a single-page app's, or gets the
// nearest 404.html; one that leads to a folder without a page is its listing,
// if that is wanted. The folder's own files _redirects and _headers are read
// with the table (rulefiles.go, package rules) and never served.
//
// Files up to 256 KiB are kept in memory, within Config.Memory, from their
// first request on; larger ones are opened for each request and checked
// against the table, so that Content-Length and ETag are those of what is sent.
// HEAD and 304 are answered from the table alone.
//
// An asset has up to four variants: as the file is, and in br, zstd and gzip.
// Compressed ones are files beside it ("a.css.br"), or made here: quickly by
// the first request that would have them, well when there is time, and kept in
// the same memory. Nobody waits for another's; large files are compressed
// behind the requests, which get them as they are until then.
//
// A change shows within a second of its end. A file that is being written in
// place is held back until it rests, for ten seconds at most; rename a finished
// file over the old one to be certain that nobody sees half of it. On network
// file systems, and where the system gives no more watches, the folder is read
// every half second (less often when reading it takes longer than 50 ms, or
// 250 ms while it changes).
//
// Names that begin with a dot are not served, but for /.well-known at the top;
// neither are names with control characters, backslashes or invalid UTF-8.
// Symbolic links are followed when they end inside the folder, absolute ones
// too; they are refused when they lead out of it or to a hidden name of it.
// Serving.Symlinks allows none of them, or those out of it as well. The scan
// finds where they lead; the directories found outside are watched like others,
// and the names that links come by elsewhere are looked at every 300 ms (ways.go).
//
// Answers with content carry Cache-Control: no-cache, so a browser asks each
// time and mostly hears 304; those whose names have a hash of the content are
// immutable for a year; error pages carry no-store. Rules may say otherwise.
//
// Dev wraps a Folder for whoever makes its files: pages that reload, no caches.
package static
