package apps

import "testing"

func TestAnAppIsClusteredAsInPM2(t *testing.T) {
	for _, c := range []struct {
		Config
		want bool
	}{
		{Config{}, false},
		{Config{Instances: 1}, true},
		{Config{Instances: Max}, true},
		{Config{Instances: 4, ExecMode: "fork"}, false},
		{Config{ExecMode: "cluster"}, true},
	} {
		if got := c.clustered(); got != c.want {
			t.Errorf("instances %v, exec_mode %q: %v", c.Instances, c.ExecMode, got)
		}
	}
}
