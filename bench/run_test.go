//go:build linux

// Package bench has no code: its commands are in the folders below, its scripts beside. These tests hold the scripts to what they must agree
// with, without measuring anything.
package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roost/host"
)

// inBash runs a script where all functions of the parts are known, and no server is started.
func inBash(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-c", `set -euo pipefail
	for file in lib.sh servers.sh parts/*.sh; do . "$file"; done
	here=$PWD port=20000 roost=true
	declare -A pid_of=(); server() { pid_of[$1]=1; }; until_answers() { :; }; taskset() { :; }; certificate() { :; }
	`+script)
	cmd.Env = append(os.Environ(), "work="+t.TempDir())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v\n%s", script, err, &stderr)
	}
	return string(out)
}

func TestEveryScriptParsesAndEveryPartIsAFunctionOfItsFile(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("parts/*.sh")
	if err != nil || len(scripts) < 12 {
		t.Fatalf("%q, %v", scripts, err)
	}
	for _, script := range append(scripts, "run", "lib.sh", "servers.sh") {
		if out, err := exec.Command("bash", "-n", script).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("bash -n %s: %v\n%s", script, err, out)
		}
	}
	out, err := exec.Command("./run", "footprints").CombinedOutput()
	if code, ok := err.(*exec.ExitError); !ok || code.ExitCode() != 2 {
		t.Fatalf("an unknown part: %v\n%s", err, out)
	}
	_, parts, found := strings.Cut(strings.TrimSpace(string(out)), "unknown part footprints; parts: ")
	if names := strings.Fields(parts); !found || len(names) != len(scripts) {
		t.Errorf("%d scripts; run says %s", len(scripts), out)
	}
	for name := range strings.FieldsSeq(parts) {
		if got := inBash(t, "declare -F "+name); strings.TrimSpace(got) != name {
			t.Errorf("no function for the part %s", name)
		}
		if !slices.Contains(scripts, "parts/"+name+".sh") {
			t.Errorf("no file for the part %s", name)
		}
	}
}

func TestEveryRatioIsOfRowsAndServersThatAreMeasured(t *testing.T) {
	t.Parallel()
	measured := make(map[string]bool)
	for line := range strings.Lines(inBash(t, `labels_of_requests
	{ rows_of_requests; rows_of_clusters; } | while IFS=';' read -r title path size how names; do
		for name in $names; do
			declare -F "serve_$name" >/dev/null || [[ " pm2 pm2nginx roostown pm2own " == *" $name "* ]] || echo "no server $name" >&2
			echo "$title	${label[$name]}"
		done
	done`)) {
		measured[strings.TrimSpace(line)] = true
	}
	wanted := strings.Split(strings.TrimSpace(inBash(t, "labels_of_requests; wanted_of_requests")), "\n")
	if len(wanted) < 10 || len(measured) < 60 {
		t.Errorf("%d ratios of %d cells", len(wanted), len(measured))
	}
	for _, line := range wanted {
		f := strings.Split(line, "\t")
		if len(f) != 7 || !measured[f[3]+"\t"+f[4]] || !measured[f[5]+"\t"+f[6]] {
			t.Errorf("%q: no such row or server", line)
		}
	}
}

func TestTheConfigurationOfRoostIsOne(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		`declare -A port_of=([roost.log]=20000) app_at=([go]=127.0.0.1:20010); serve_roost roost.log "$work"; cat "$work/roost.log.toml"`,
		`declare -A port_of=([roost]=20000); serve_roost roost "$work"; cat "$work/roost.toml"`,
		`declare -A processes; all=roost; clusters; cat "$work/clusters/roost.toml"`,
	} {
		text := inBash(t, script)
		config, problems := host.Parse("roost.toml", []byte(text), "")
		if len(problems) > 0 || len(config.Sites) != 1 {
			t.Errorf("%s: %v\n%s", script, problems, text)
		}
	}
}
