package service

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roost/host"
	"roost/service/control"
)

func names(c host.Config) (out []string) {
	for _, a := range c.Apps {
		out = append(out, a.Name)
	}
	return out
}

// savedTwice makes a state folder with two generations: the newest has two apps, the one before one.
func savedTwice(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, c := openStore(dir), someApps()
	older := host.Config{Apps: c.Apps[:1]}
	newer := host.Config{Apps: c.Apps[:2]}
	for _, c := range []host.Config{older, newer} {
		if err := s.save(c); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheStateComesBackAsItWasSaved(t *testing.T) {
	dir := savedTwice(t)
	c, problems, err := openStore(dir).load()
	if err != nil || len(problems) > 0 || !slices.Equal(names(c), []string{"web", "7"}) {
		t.Errorf("got %v, %v, %v", names(c), problems, err)
	}
	if c.NextID != 4 { // one more than the highest id in the file, whatever it says itself
		t.Errorf("the next id is %d", c.NextID)
	}
	for _, file := range []string{"state.json", "state.json.1"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	if c, problems, err := openStore(t.TempDir()).load(); err != nil || len(problems) > 0 || len(c.Apps) > 0 {
		t.Errorf("no state at all: %v, %v, %v", c, problems, err)
	}
}

func TestACorruptStateIsKeptAsideAndThePreviousOneUsed(t *testing.T) {
	whole, _ := os.ReadFile(filepath.Join(savedTwice(t), "state.json"))
	for what, text := range map[string]string{
		"empty":       "",
		"cut":         string(whole[:len(whole)/2]),
		"no JSON":     "\x00\x00\x00\x00",
		"two in one":  string(whole) + string(whole),
		"newer":       `{"version":99,"config":{}}`,
		"no version":  `{"config":{}}`,
		"wrong types": `{"version":1,"config":{"apps":"none"}}`,
	} {
		dir := savedTwice(t)
		path := filepath.Join(dir, "state.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := openStore(dir)
		c, problems, err := s.load()
		if err != nil || !slices.Equal(names(c), []string{"web"}) {
			t.Errorf("%s: got %v, %v", what, names(c), err)
		}
		kept, _ := filepath.Glob(path + ".corrupt-*")
		if len(kept) != 1 || len(problems) == 0 || !strings.Contains(problems[0], kept[0]) {
			t.Fatalf("%s: kept %v, told %v", what, kept, problems)
		}
		if b, _ := os.ReadFile(kept[0]); string(b) != text {
			t.Errorf("%s: what was kept aside is not what was there", what)
		}
		if err := s.save(someApps()); err != nil { // goes on, and the next start is well
			t.Fatal(err)
		}
		if c, problems, err := openStore(dir).load(); err != nil || len(problems) > 0 || len(c.Apps) != 4 {
			t.Errorf("%s: after the next change: %v, %v, %v", what, names(c), problems, err)
		}
	}
}

func TestTwoCorruptStatesStartEmptyAndLoud(t *testing.T) {
	dir := savedTwice(t)
	for _, file := range []string{"state.json", "state.json.1"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, problems, err := openStore(dir).load()
	kept, _ := filepath.Glob(filepath.Join(dir, "*corrupt*"))
	if err != nil || len(c.Apps) > 0 || len(problems) != 3 || len(kept) != 2 {
		t.Errorf("got %v, %v, %v; kept %v", names(c), problems, err, kept)
	}
}

func TestAMissingStateWithAPreviousOneIsLoud(t *testing.T) {
	dir := savedTwice(t)
	os.Remove(filepath.Join(dir, "state.json"))
	c, problems, err := openStore(dir).load()
	if err != nil || len(problems) != 1 || !slices.Equal(names(c), []string{"web"}) {
		t.Errorf("got %v, %v, %v", names(c), problems, err)
	}
}

func TestAStateThatCannotBeReadIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "state.json"), 0o700); err != nil { // unreadable for root, too
		t.Fatal(err)
	}
	if _, _, err := openStore(dir).load(); code(err) != control.CodeStorage {
		t.Errorf("got %v, want a refusal to go on", err)
	}
}
