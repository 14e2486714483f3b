package ecosystem

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
)

// ServerCommand is the command of this program, under any of its names, that
// serves a folder as the variables PM2_SERVE_* of its environment say.
const ServerCommand = "_serve"

// UsualPort is where a folder is served when nothing else is said.
const UsualPort = "8080"

// Server returns the keys of an app that serves a folder as PM2's own server
// does: this program does it, told by the variables PM2_SERVE_* of env. Its
// port stays open over reloads, unless it is to be on one address only: one
// that is kept for an app is on all.
func Server(env map[string]string) (map[string]any, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program, which serves folders: %w", err)
	}
	port := env["PM2_SERVE_PORT"]
	if port == "" {
		port = UsualPort
	}
	keys := map[string]any{"command": Quote(self) + " " + ServerCommand, "port": wholeNumber(port)}
	if runtime.GOOS != "windows" {
		everywhere := env["PM2_SERVE_HOST"] == "" || env["PM2_SERVE_HOST"] == "0.0.0.0"
		keys["wait_ready"], keys["listen_fds"] = true, everywhere
	}
	return keys, nil
}

// server makes an app of PM2's way to serve a folder: the script "serve" and
// variables PM2_SERVE_*. Without these it is a program of that name.
func (n *normaliser) server() {
	declared, _ := n.out.Table["env"].(map[string]any)
	env := map[string]string{}
	for name, value := range declared {
		if strings.HasPrefix(name, "PM2_SERVE_") {
			env[name], _ = plainText(value).(string)
		}
	}
	if n.out.Table["script"] != "serve" || len(env) == 0 {
		return
	}
	keys, err := Server(env)
	if err != nil {
		n.wrong("script", err.Error(), "")
		return
	}
	maps.Copy(n.out.Table, keys)
	if n.out.Table["name"] == nil {
		n.out.Table["name"] = "serve"
	}
	n.out.From["command"], n.out.From["port"] = n.written("script"), n.written("env.PM2_SERVE_PORT")
	delete(n.out.Table, "script")
	delete(n.out.From, "script")
}

// Static gives the table of the app that serves a folder, of an item of "static".
func Static(item map[string]any, o Options) Normalised {
	env := map[string]any{"PM2_SERVE_PORT": UsualPort}
	from := map[string]string{}
	var problems []Problem
	var idle []string
	wrong := func(key, what, hint string) { problems = append(problems, Problem{key, what, hint}) }
	set := func(key, variable string, value any) {
		if value != nil {
			env[variable], from["env."+variable] = value, key
		}
	}
	for _, key := range slices.Sorted(maps.Keys(item)) {
		value := item[key]
		switch key {
		case "path", "port", "host", "spa":
			set(key, "PM2_SERVE_"+strings.ToUpper(key), value)
		case "ftp", "directory": // the listing of a folder
			set(key, "PM2_SERVE_FTP", value)
		case "basic_auth":
			auth, _ := value.(map[string]any)
			user, _ := plainText(auth["username"]).(string)
			password, _ := plainText(auth["password"]).(string)
			if user == "" || password == "" {
				wrong(key, "basic_auth wants a user and a password", `write { username: "ann", password: "…" }`)
				continue
			}
			set(key, "PM2_SERVE_BASIC_AUTH", true)
			set(key, "PM2_SERVE_BASIC_AUTH_USERNAME", user)
			set(key, "PM2_SERVE_BASIC_AUTH_PASSWORD", password)
		case "name":
		case "monitor":
			idle = append(idle, key)
		default:
			wrong(key, fmt.Sprintf("unknown key %q in static", key), "known are name, path, port, host, spa, ftp, basic_auth, monitor")
		}
	}
	name := item["name"]
	if name == nil {
		name = fmt.Sprintf("static-page-server-%v", plainText(env["PM2_SERVE_PORT"]))
	}
	n := Normal(map[string]any{"name": name, "script": "serve", "env": env}, o)
	for to, key := range n.From { // the port's is known by its variable
		if written, ok := from[key]; ok {
			n.From[to] = written
		}
	}
	maps.Copy(n.From, from)
	for i, p := range n.Problems {
		if written, ok := from[p.Key]; ok {
			n.Problems[i].Key = written
		}
	}
	n.Problems, n.Idle = append(problems, n.Problems...), append(n.Idle, idle...)
	return n
}
