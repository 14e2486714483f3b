package static

import "strings"

// hashedFolders are where build tools put files that never change under their
// names: Next.js, SvelteKit, Astro.
var hashedFolders = []string{"/_next/static/", "/_app/immutable/", "/_astro/"}

// partsOfPages are the types that build tools give names with a hash. Others
// (pages, documents, archives) are found by names that stay.
var partsOfPages = []string{"text/", "image/", "font/", "audio/", "video/", "model/", "application/json", "application/wasm", "application/manifest+json", "application/vnd.ms-fontobject"}

// hashLength is how many characters a hash has as rollup, vite, esbuild and
// parcel write it; one in base 16 may have more.
const hashLength = 8

// immutable tells whether what is at path never changes, because its name has a hash
// of it, as build tools write it: "app.3f2a1b9c.js", "index-BcD3fG_2.css".
//
// A file that is not recognised is asked for each time, which costs little; one
// that is wrongly recognised stays old for a year. So no name that a person
// may give (words, dates, versions, sizes, numbers) is to be recognised.
func immutable(path string, kind *mediaType) bool {
	if strings.HasPrefix(kind.text, "text/html") {
		return false
	}
	for _, folder := range hashedFolders {
		if strings.Contains(path, folder) {
			return true
		}
	}
	for _, prefix := range partsOfPages {
		if strings.HasPrefix(kind.text, prefix) {
			parts := strings.Split(path[strings.LastIndexByte(path, '/')+1:], ".")
			for i, part := range parts[:len(parts)-1] { // the last one says the type
				if hashed(part, i == 0) {
					return true
				}
			}
		}
	}
	return false
}

// hashed tells whether a part of a name between dots is a hash, or ends in one
// after a "-". All of the first part is no hash of 8 characters: "1a2b3c4d.js" may be anything.
func hashed(part string, first bool) bool {
	dash := strings.LastIndexAny(part, "-_")
	if hexadecimal(part[dash+1:]) {
		return dash >= 0 && !uuid(part) || dash < 0 && (!first || len(part) >= 2*hashLength)
	}
	// One in base 64 may have "-" and "_" in it.
	at := len(part) - hashLength
	if at > 0 && part[at-1] == '-' || at == 0 && !first {
		return !named(part[at:])
	}
	return false
}

// hexadecimal tells whether s is a hash in base 16. One without letters may be
// a date or a number, one without digits a word.
func hexadecimal(s string) bool {
	return len(s) >= hashLength && strings.Trim(s, decimal+"abcdef") == "" &&
		strings.ContainsAny(s, decimal) && strings.ContainsAny(s, "abcdef")
}

// uuid tells whether s ends in a UUID (RFC 9562), which is the name of a thing, not of a content.
func uuid(s string) bool {
	if len(s) < 36 {
		return false
	}
	s = s[len(s)-36:]
	return s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-'
}

const (
	decimal    = "0123456789"
	vowels     = "aeiouy"
	consonants = 4 // in a row; more are no word
)

// named tells whether a person may have written s: words in any of the usual
// spellings, with numbers, as a size or a date.
func named(s string) bool {
	for i := range len(s) {
		if !letter(s[i]) && !digit(s[i]) && s[i] != '-' && s[i] != '_' {
			return true // no hash has that
		}
	}
	small := s == strings.ToLower(s)
	for word := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == '-' || c == '_' }) {
		letters := strings.FieldsFunc(word, func(c rune) bool { return c <= '9' })
		numbers := strings.FieldsFunc(word, func(c rune) bool { return c > '9' })
		switch {
		case small && len(numbers) < 3: // "i18nkeys", "v1alpha2"
		case len(numbers) == 2 && len(letters) == 1 && letters[0] == "x": // "1280x720"
		case len(numbers) > 1:
			return false
		case len(letters) == 2 && word == strings.ToUpper(word):
			return false
		default: // "DSC01234", "Level2Map"
			for _, part := range letters {
				if !spelt(part) {
					return false
				}
			}
		}
	}
	return true
}

// spelt tells whether letters are words: "calendar", "CALENDAR", "DarkMode", "HTMLView".
func spelt(s string) bool {
	switch s {
	case strings.ToLower(s):
		return true
	case strings.ToUpper(s):
		return consonantsOf(s) <= consonants
	}
	acronyms := 0
	for i := 0; i < len(s); {
		end := i + 1
		if large(s[i]) && end < len(s) && large(s[end]) {
			for end < len(s) && large(s[end]) {
				end++
			}
			if end < len(s) {
				end-- // the last one begins a word
			}
			if acronyms++; acronyms > 1 || end-i < 2 || end-i > 5 {
				return false
			}
			i = end
			continue
		}
		for end < len(s) && !large(s[end]) {
			end++
		}
		word := strings.ToLower(s[i:end])
		prefix := i == 0 && (len(word) == 1 && !large(s[0]) || len(word) == 2) // "iPhone", "McDonald"
		if !prefix && (len(word) < 2 || !strings.ContainsAny(word, vowels) || consonantsOf(word) >= consonants) {
			return false
		}
		i = end
	}
	return true
}

// consonantsOf returns how many consonants there are in a row, at most.
func consonantsOf(s string) int {
	most, n := 0, 0
	for _, c := range strings.ToLower(s) {
		if n++; strings.ContainsRune(vowels, c) {
			n = 0
		}
		most = max(most, n)
	}
	return most
}

func large(c byte) bool  { return 'A' <= c && c <= 'Z' }
func letter(c byte) bool { return large(c) || 'a' <= c && c <= 'z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }
