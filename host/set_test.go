package host

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roost/apps"
	"roost/internal/unit"
)

func raw(pairs ...string) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return out
}

func TestSetReadsKeysAsAFileDoes(t *testing.T) {
	off := false
	a := apps.Config{Name: "web", Script: "a.js", MaxRestarts: 3, Env: map[string]string{"A": "1", "B": "2"}}
	before := a.Env
	problems := Set(&a, raw(
		"instances", `"max"`, "max_memory_restart", `"10M"`, "kill_timeout", `1600`, "autorestart", `false`, "stop_exit_codes", `[0, 3]`,
		"max_restarts", `null`, "env", `{"B": null, "PORT": 3000, "BIG": 12345678}`, "watch", `true`, "args", `"-a 'b c'"`,
	))
	want := apps.Config{
		Name: "web", Script: "a.js", Instances: apps.Max, MaxMemoryRestart: 10 << 20, KillTimeout: unit.Duration(1600 * time.Millisecond),
		Autorestart: &off, StopExitCodes: []int{0, 3}, Env: map[string]string{"A": "1", "PORT": "3000", "BIG": "12345678"},
		Watch: apps.Paths{"."}, Args: apps.Words{"-a", "b c"},
	}
	if diff := cmp.Diff(want, a); diff != "" || len(problems) > 0 {
		t.Errorf("%v\n%s", problems, diff)
	}
	if len(before) != 2 {
		t.Errorf("the old environment became %v", before)
	}
}

func TestSetNamesAllThatIsWrong(t *testing.T) {
	var a apps.Config
	var got []string
	for _, p := range Set(&a, raw("instence", `1`, "port", `"x"`, "env", `[]`, "kill_timeout", `"soon"`, "cwd", `{`)) {
		got = append(got, p.String())
	}
	want := []string{
		"cwd is not JSON: unexpected EOF",
		"env wants a table, not a list",
		`unknown key "instence" in [[app]]: did you mean "instances"?`,
		`kill_timeout: "soon" is not a length of time: write milliseconds or a text such as "30s"`,
		`port wants a whole number, not the text "x": leave out the quotes`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
