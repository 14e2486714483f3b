package host

import (
	"roost/apps"
	"roost/internal/unit"
	"roost/static"
	"roost/tls"
)

// Config is everything wanted of the box, as plain data.
type Config struct {
	Host Listen     `toml:"host" json:"host"`
	TLS  tls.Config `toml:"tls" json:"tls"`
	// TLSSource is the file that TLS comes from; empty: nobody said so.
	TLSSource string        `toml:"-" json:"tls_source,omitempty"`
	Sites     []Site        `toml:"site" json:"sites"`
	Apps      []apps.Wanted `toml:"app" json:"apps"`
	// NextID is the next free slot id.
	NextID int `toml:"-" json:"next_id"`
	// Lines serves messages only.
	Lines Lines `toml:"-" json:"-"`
}

// Listen says where the host listens and what holds for all sites.
type Listen struct {
	// HTTP and HTTPS are addresses such as ":80"; when absent ":80" and ":443", or ":8080" and ":8443"
	// for a user who may not bind those. "off" does not listen.
	HTTP  string `toml:"http" json:"http,omitempty"`
	HTTPS string `toml:"https" json:"https,omitempty"`
	// HTTP3 speaks HTTP/3 as well, on the UDP port of the same number as https, and announces it; false when absent.
	HTTP3 bool `toml:"http3" json:"http3,omitempty"`
	// MaxConnections are how many connections there may be at a time. Beyond, those without a request are closed, longest
	// idle first, and where there are none new ones are turned away. Half of the open files allowed, 32768 at most, when absent.
	MaxConnections int `toml:"max_connections" json:"max_connections,omitempty"`
	// MaxConnectionsPerClient is the same for one address (of IPv6, one /64); a quarter of max_connections, at least 100, when absent.
	MaxConnectionsPerClient int `toml:"max_connections_per_client" json:"max_connections_per_client,omitempty"`
	// AccessLog writes a line for each request; true when absent.
	AccessLog *bool `toml:"access_log" json:"access_log,omitempty"`
	// AccessLogFormat is "json" (when absent), "combined", which does not tell sites apart, or a template with fields such
	// as "$status", see logFields.
	AccessLogFormat string `toml:"access_log_format" json:"access_log_format,omitempty"`
	// AccessLogRedact is what the access log does not tell; nil: the header fields that are secret.
	AccessLogRedact *LogRedaction `toml:"access_log_redact" json:"access_log_redact,omitempty"`
	// IdleTimeout closes a connection without requests; 120 s when absent.
	IdleTimeout unit.Duration `toml:"idle_timeout" json:"idle_timeout,omitzero"`
	// HeaderTimeout bounds the reading of a request's head; 10 s when absent.
	HeaderTimeout unit.Duration `toml:"header_timeout" json:"header_timeout,omitzero"`
	// ProgressTimeout closes a connection whose peer neither sends nor takes a byte for so long while it should; 60 s when absent.
	ProgressTimeout unit.Duration `toml:"progress_timeout" json:"progress_timeout,omitzero"`
	// Express answers HTTP/1.1 requests for files straight on their connection, without net/http; true when absent.
	Express *bool `toml:"express" json:"express,omitempty"`
	// TrustedProxies are addresses and networks of proxies in front of the box. What they say in X-Forwarded-For is
	// the client's address, and X-Forwarded-Proto whether it came by HTTPS; nobody else is believed.
	TrustedProxies []string `toml:"trusted_proxies" json:"trusted_proxies,omitempty"`
	// Source is the file that said so; empty: nobody did.
	Source string `toml:"-" json:"source,omitempty"`
}

// Site is domains and paths, each leading to a folder or to an app.
type Site struct {
	// Domains are DNS names ("*.example.com" too); none answers every name of the box.
	Domains []string `toml:"domains" json:"domains,omitempty"`
	// Default answers unknown domains.
	Default bool `toml:"default" json:"default,omitempty"`
	// Target is where "/" leads.
	Target
	// Issuer is where certificates for Domains come from, if not from where [tls] says.
	Issuer string `toml:"issuer" json:"issuer,omitempty"`
	// Cert and Key are PEM files of a certificate that somebody else gets, for all Domains: no CA is asked. They are read
	// again when they change.
	Cert string `toml:"cert" json:"cert,omitempty"`
	Key  string `toml:"key" json:"key,omitempty"`
	// OnDemand gets certificates for names that the site answers and nobody lists when clients come for them; nil: there are
	// none for public names.
	OnDemand *tls.OnDemand `toml:"on_demand" json:"on_demand,omitempty"`
	// ClientAuth asks clients for a certificate; nil: nobody is asked.
	ClientAuth *tls.ClientAuth `toml:"client_auth" json:"client_auth,omitempty"`
	// RedirectHTTPS answers plain HTTP with 308 to HTTPS; true when absent.
	RedirectHTTPS *bool `toml:"redirect_https" json:"redirect_https,omitempty"`
	// AccessLog overrides the host's.
	AccessLog *bool `toml:"access_log" json:"access_log,omitempty"`
	// ErrorPages is a folder whose <status>.html files replace the built-in error pages.
	ErrorPages string `toml:"error_pages" json:"error_pages,omitempty"`
	// Canonical is the one of Domains that the others are led to with 308.
	Canonical string `toml:"canonical" json:"canonical,omitempty"`
	// Redirects, Rewrites and Headers are rules about paths, tried in their order before a route is chosen; the first
	// that matches holds.
	Redirects []Redirect   `toml:"redirect" json:"redirects,omitempty"`
	Rewrites  []Rewrite    `toml:"rewrite" json:"rewrites,omitempty"`
	Headers   []HeaderRule `toml:"header" json:"headers,omitempty"`
	// Maintenance answers 503 to everything, with the page error_pages/503.html or the built-in one. What a command
	// has closed stays so through changes of the file, until it opens it again.
	Maintenance bool `toml:"maintenance" json:"maintenance,omitempty"`
	// RetryAfter is what clients are told meanwhile; 5 minutes when absent.
	RetryAfter unit.Duration `toml:"retry_after" json:"retry_after,omitzero"`
	// Closed is Maintenance by command.
	Closed bool `toml:"-" json:"closed,omitempty"`
	// Routes lead paths elsewhere; the longest path wins.
	Routes []Route `toml:"route" json:"routes,omitempty"`
	// Source is the file that declared the site; empty when a command did.
	Source string `toml:"-" json:"source,omitempty"`
}

// Route leads the paths that begin with Path to a target.
type Route struct {
	// Path begins with a slash. "/docs/" covers what lies below (and redirects "/docs"); "/docs" covers also "/docs" itself.
	Path string `toml:"path" json:"path"`
	Target
	// StripPrefix hides Path from the app. A folder never sees it.
	StripPrefix bool `toml:"strip_prefix" json:"strip_prefix,omitempty"`
}

// Target is a folder or an app; exactly one of Root and App is set (for a site: at most one).
type Target struct {
	Root string `toml:"root" json:"root,omitempty"`
	App  string `toml:"app" json:"app,omitempty"`
	// Serving is for folders.
	static.Serving
	Protection
}
