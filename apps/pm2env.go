package apps

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"os/user"
	"path/filepath"
	"strconv"
	"time"
)

// pm2Environ is what an app finds in its environment in PM2's layout, beside
// pm_id and the slot's number, which every app finds: where things are, what it
// is called and how it is kept running. What PM2 says of itself (vizion, pmx,
// km_link, …) and the objects that it writes as "[object Object]" are not there.
func (p *program) pm2Environ(s *setup) map[string]string {
	if p.pm2Home == "" {
		return nil
	}
	w := p.wanted
	flag := func(b *bool) string { return strconv.FormatBool(b == nil || *b) }
	now := strconv.FormatInt(time.Now().UnixMilli(), 10)
	mode, interpreter, program := "fork_mode", "none", s.argv[0]
	if s.node && w.clustered() {
		mode = "cluster_mode"
	}
	if s.at > 0 {
		interpreter, program = filepath.Base(s.argv[0]), s.argv[s.at]
	}
	if w.Interpreter != "" {
		interpreter = w.Interpreter
	}
	env := map[string]string{
		"PM2_HOME":          p.pm2Home,
		"PM2_USAGE":         "CLI",
		"name":              w.Name,
		"namespace":         cmp.Or(w.Namespace, "default"),
		"unique_id":         UniqueID(p.pm2Home, w.Name, w.Slots[p.slot].ID),
		"status":            "launching",
		"pm_exec_path":      program,
		"pm_cwd":            w.Cwd,
		"pm_pid_path":       pidPath(w, p.slot, p.pm2Home),
		"exec_mode":         mode,
		"exec_interpreter":  interpreter,
		"instances":         strconv.Itoa(w.Count()),
		"restart_time":      strconv.Itoa(p.restarts),
		"unstable_restarts": strconv.Itoa(p.fails),
		"created_at":        now,
		"pm_uptime":         now,
		"autostart":         flag(w.Autostart),
		"autorestart":       flag(w.Autorestart),
		"treekill":          flag(w.Treekill),
		"watch":             strconv.FormatBool(len(w.Watch) > 0),
	}
	ids := make([]int, len(w.Slots))
	for n, slot := range w.Slots {
		ids[n] = slot.ID
	}
	for _, place := range p.layout.places(w, ids) {
		if place.slot != anySlot && place.slot != p.slot {
			continue
		}
		if place.also {
			env["pm_log_path"] = place.path
			continue
		}
		for s, key := range [2]string{"pm_out_log_path", "pm_err_log_path"} {
			if place.streams[s] {
				env[key] = place.path
			}
		}
	}
	if w.InstanceVar != "" {
		env["instance_var"] = w.InstanceVar
	}
	if name := s.user.environ()["USER"]; name != "" {
		env["username"] = name
	} else if me, err := user.Current(); err == nil {
		env["username"] = me.Username
	}
	return env
}

// UniqueID tells a slot of an app apart from all others, of other homes of PM2
// as well; it is the same after every restart. It looks as in RFC 9562, version 8.
func UniqueID(pm2Home, app string, id int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", pm2Home, app, id))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
