package apps

import "github.com/bmatcuk/doublestar/v4"

// leastMemory is the least that limits of memory may be, in bytes: no program starts with less.
const leastMemory = 1 << 20

// triggers checks what has instances start or be replaced without a command.
func (v *validation) triggers() {
	c := v.c
	if c.MaxMemoryRestart < 0 || c.MaxMemoryRestart > 0 && c.MaxMemoryRestart < leastMemory {
		v.add("max_memory_restart", "max_memory_restart = %d bytes is less than any program needs", `write a unit, such as "200M"`, int64(c.MaxMemoryRestart))
	}
	if c.WatchDelay < 0 {
		v.add("watch_delay", "watch_delay = %v is negative", "leave it out for 200 ms", c.WatchDelay)
	}
	for _, p := range c.Watch {
		if p == "" || !doublestar.ValidatePathPattern(p) {
			v.add("watch", "watch has %q, which is neither a path nor a pattern", `write a folder such as "src", or a pattern such as "src/**/*.js"`, p)
		}
	}
	for _, p := range c.IgnoreWatch {
		if p == "" || !doublestar.ValidatePathPattern(p) {
			v.add("ignore_watch", "ignore_watch has %q, which is no pattern", `write a name such as "logs", or a pattern such as "**/*.log"`, p)
		}
	}
	if c.TimeZone != "" {
		if _, err := loadZone(c.TimeZone); err != nil {
			v.add("time_zone", "%v", `write it as "Europe/Berlin" or "UTC"`, err)
		} else if c.CronRestart == "" && c.Schedule == "" {
			v.add("time_zone", "time_zone is for cron_restart and schedule", "remove it, or say at which times")
		}
	}
	for _, times := range []struct{ key, text string }{{"cron_restart", c.CronRestart}, {"schedule", c.Schedule}} {
		if times.text == "" {
			continue
		}
		if _, err := parseTimes(times.text, ""); err != nil {
			v.add(times.key, "%s = %q names no times: %v", `write five fields such as "0 3 * * *", six with seconds first, or "@daily"`, times.key, times.text, err)
		}
	}
	if c.Schedule == "" {
		return
	}
	for _, other := range []struct {
		key, hint string
		set       bool
	}{
		{"cron_restart", "keep one of them: a job starts anew at each time", c.CronRestart != ""},
		{"watch", "remove it: each run reads the files anew", len(c.Watch) > 0},
		{"max_memory_restart", "remove it; memory_max bounds a run", c.MaxMemoryRestart != 0},
	} {
		if other.set {
			v.add(other.key, "%s is not for a job with a schedule", other.hint, other.key)
		}
	}
}
