package static

import "roost/internal/unit"

// Config says how one folder is served. Its zero value with a Root works.
type Config struct {
	// Root is the folder; absolute once the config has been read.
	Root string `toml:"root" json:"root"`
	// Prefix is the path that leads to the folder, with a leading and a trailing slash; "/" when empty.
	// /prefix/x is answered with the file x.
	Prefix string `toml:"-" json:"prefix,omitempty"`
	Serving
}

// Serving is how the files of a folder are found and sent. Its zero value works.
type Serving struct {
	// SPA answers navigations to unknown paths with /index.html and status 200.
	SPA bool `toml:"spa" json:"spa,omitempty"`
	// Browse lists folders that have no index.html.
	Browse bool `toml:"browse" json:"browse,omitempty"`
	// HTMLHandling says at which path a page is served; its other paths lead there with 308.
	// "auto-trailing-slash", which is the default: page.html at /page, dir/index.html at /dir/;
	// "force-trailing-slash": at /page/ and /dir/; "drop-trailing-slash": at /page and /dir;
	// "none": files at their own paths alone, so that "/" has no page; "plain": likewise, and dir/index.html
	// at /dir/ as well, as other servers do, so that no page leads elsewhere.
	HTMLHandling string `toml:"html_handling" json:"html_handling,omitempty"`
	// Download are patterns of files that browsers save instead of showing: "*.pdf" is of names in
	// any folder, "files/**" of paths from the top. "**" is any number of folders, "{a,b}" a choice.
	Download []string `toml:"download" json:"download,omitempty"`
	// Rules says whose rules the files _redirects and _headers at the top of the folder follow:
	// "cloudflare", which is the default, "netlify", or "off". They are never served.
	Rules string `toml:"rules" json:"rules,omitempty"`
	// Symlinks says which symbolic links in the folder are followed: "inside", which is the default, those that
	// end in the folder, and not at a hidden name; "none"; "follow", those that lead out of it as well, as
	// other servers do. Root itself may be a link, or lie behind one, in any case.
	Symlinks string `toml:"symlinks" json:"symlinks,omitempty"`
	// EarlyHints sends a 103 with the links of a page ahead of it, over HTTP/2 and HTTP/3: those that
	// header rules give it with the relations preload, modulepreload and preconnect. True when absent.
	EarlyHints *bool `toml:"early_hints" json:"early_hints,omitempty"`
	// Compress makes br, zstd and gzip of files whose types shrink, once each; true when absent. Compressed files
	// that lie beside ("a.css.br") are used in any case.
	Compress *bool `toml:"compress" json:"compress,omitempty"`
	// Memory bounds the bytes of file content, as it is and compressed, kept in memory; 64 MB when absent.
	Memory unit.Size `toml:"memory" json:"memory,omitempty"`
}
