package apps

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// start checks what an instance is started with.
func (v *validation) start() {
	c := v.c
	for _, text := range []struct {
		key   string
		words []string
	}{{"script", []string{c.Script}}, {"command", []string{c.Command}}, {"args", c.Args}, {"node_args", c.NodeArgs}} {
		if strings.Contains(strings.Join(text.words, ""), "\x00") {
			v.add(text.key, "%s has a zero byte", "remove it", text.key)
		}
	}
	switch c.ExecMode {
	case "", "fork", "fork_mode":
	case "cluster", "cluster_mode":
		if v.other {
			v.add("exec_mode", "exec_mode = %q is for Node", "remove it; requests are spread over the instances of any program", c.ExecMode)
		}
	default:
		v.add("exec_mode", "exec_mode = %q is none", `write "cluster" or "fork"`, c.ExecMode)
	}
	if v.other && c.SourceMapSupport != nil && *c.SourceMapSupport {
		v.add("source_map_support", "source_map_support is for Node", "remove it")
	}
	if c.MemoryMax < 0 || c.MemoryMax > 0 && c.MemoryMax < leastMemory {
		v.add("memory_max", "memory_max = %d bytes is less than the least, 1M", `write a unit, such as "512M"`, int64(c.MemoryMax))
	}
	if c.PIDFile != "" && isFolder(c.Cwd, c.PIDFile) {
		v.add("pid_file", "pid_file %s is a folder", "name a file in it", c.PIDFile)
	}
}

// environment checks the variables that the app declares.
func (v *validation) environment() {
	c := v.c
	for _, key := range slices.Sorted(maps.Keys(c.Env)) {
		if what := badVariable(key, c.Env[key]); what != "" {
			v.add("env", "env: %s", `remove it; a key is not empty and has no "="`, what)
		}
	}
	all := []layer{}
	for _, name := range c.EnvFile {
		l, err := envFile(&c, name)
		if err != nil {
			v.complain(err)
		}
		all = append(all, l)
	}
	all = append(all, layer{"env", c.Env})
	for key, name := range map[string]string{"instance_var": c.InstanceVar, "increment_var": c.IncrementVar} {
		if what := badVariable(cmp.Or(name, "x"), ""); what != "" {
			v.add(key, "%s: %s", "choose another name", key, what)
			return
		}
	}
	switch {
	case c.IncrementVar == "":
	case c.IncrementVar == cmp.Or(c.InstanceVar, "NODE_APP_INSTANCE"):
		v.add("increment_var", "increment_var %s is already the slot's number", "remove it", c.IncrementVar)
	case c.IncrementVar == "PORT" && c.Port > 0:
		v.add("increment_var", "the instances share port %d, so increment_var PORT cannot grow", `write env = { PORT = "..." } in place of port, or remove increment_var`, c.Port)
	default:
		if _, err := increment(join(all), c.IncrementVar, 0); err != nil {
			v.complain(err)
		}
	}
}
