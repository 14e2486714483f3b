package ecosystem

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Serves reports an app that is PM2's way to serve a folder, script "serve",
// and returns it as an item of "static".
func Serves(app map[string]any) (static map[string]any, ok bool) {
	env, _ := app["env"].(map[string]any)
	if app["script"] != "serve" || !slices.ContainsFunc(slices.Collect(maps.Keys(env)), func(k string) bool { return strings.HasPrefix(k, "PM2_SERVE_") }) {
		return nil, false
	}
	static = map[string]any{"name": app["name"]}
	for name, key := range map[string]string{
		"PATH": "path", "PORT": "port", "HOST": "host", "SPA": "spa", "FTP": "ftp", "BASIC_AUTH": "basic_auth", "MONITOR": "monitor",
	} {
		if v := env["PM2_SERVE_"+name]; v != nil && v != "false" {
			static[key] = v
			if v == "true" {
				static[key] = true
			}
		}
	}
	return static, true
}

// Site makes a [[site]] of an item of "static": the folder, served for every
// name of the box at the host's own addresses. note says what of it is so
// otherwise than in PM2; empty: nothing.
func Site(static map[string]any) (site Normalised, note string) {
	site = Normalised{Table: map[string]any{"root": "."}, From: map[string]string{}}
	wrong := func(key, what, hint string) { site.Problems = append(site.Problems, Problem{key, what, hint}) }
	for _, key := range slices.Sorted(maps.Keys(static)) {
		value := static[key]
		switch key {
		case "path":
			site.Table["root"], site.From["root"] = value, key
		case "spa":
			site.Table["spa"] = value
		case "ftp", "directory": // the listing of a folder
			site.Table["browse"], site.From["browse"] = value, key
		case "basic_auth":
			wrong(key, "basic_auth: a site asks for no password", "leave it out, or keep such a folder away from this box")
		case "name", "port", "host":
		case "monitor":
			site.Idle = append(site.Idle, key)
		default:
			wrong(key, fmt.Sprintf("unknown key %q in static", key), "known are name, path, port, host, spa, ftp, basic_auth, monitor")
		}
	}
	name := "the folder " + plainString(site.Table["root"])
	if s := plainString(static["name"]); s != "" {
		name = s
	}
	if port := plainString(static["port"]); port != "" {
		note = fmt.Sprintf("%s is served at the host's own addresses, not on port %s: see roost status", name, port)
	}
	return site, note
}

func plainString(v any) string {
	s, _ := plainText(v).(string)
	return s
}
