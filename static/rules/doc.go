// Package rules decides by patterns of paths: where a request is redirected,
// which other file answers it, and which header fields the answer has. It reads
// the files _redirects and _headers as Cloudflare and Netlify do, and compiles
// what a config says in the same words.
//
//	/old            /new                     301     a path, a target, a status
//	/blog/:year/*   /archive/:year/:splat         ":name" is one segment or part of one, "*" anything
//
// What is compiled never changes, so requests share it without locks. A rule
// without placeholders is found by a map; the others are tried in the order of
// the file, each in a time linear in the length of the path; nothing is
// allocated until one matches. The first that matches wins.
//
// A placeholder is replaced once: what came from a request is escaped for its
// place in the target and never looked at again, so it can neither bring
// in another placeholder, nor a control character, nor another host.
package rules

// Limits of a file, those of Cloudflare's.
const (
	MaxSize       = 1 << 20 // bytes of a file
	maxLine       = 2000    // characters
	maxStatic     = 2000    // rules without a placeholder
	maxDynamic    = 100     // rules with one
	maxHeaders    = 100     // paths in _headers
	maxHeadersNet = 500     // the same in Netlify's dialect, which names no limit
	maxNames      = 16      // placeholders of a rule
)

// Dialect says whose rules a file follows.
type Dialect string

// The dialects. The zero value is Cloudflare's.
const (
	Cloudflare Dialect = "cloudflare" // 302 unless said; rules come before files
	Netlify    Dialect = "netlify"    // 301 unless said; files come before rules without "!"
)

// Problem is one thing that is wrong with a file or a rule. The rule is left
// out, unless What says that it is only in part.
type Problem struct {
	Line int    // from 1; in what Compile returns the number of the rule, from 0
	Key  string // in what Compile returns: "from", "to", "status", …
	What string
	Hint string
}
