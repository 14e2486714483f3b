package pm2

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"roost/apps"
	"roost/host"
)

// variables are those of PM2's daemon that set a key for all apps which do not
// say it. PM2 reads them once, when its daemon starts; here they are those of
// the shell that starts the app.
var variables = []struct{ name, key string }{
	{"PM2_KILL_TIMEOUT", "kill_timeout"},
	{"PM2_KILL_SIGNAL", "kill_signal"},
	{"PM2_GRACEFUL_LISTEN_TIMEOUT", "listen_timeout"},
	{"PM2_PROCESS_INSTANCE_VAR", "instance_var"},
}

// usual are the keys that this shell's variables set for apps without them.
func usual() (map[string]json.RawMessage, error) {
	keys := map[string]json.RawMessage{}
	for _, v := range variables {
		text := os.Getenv(v.name)
		if text == "" {
			continue
		}
		raw, err := encoded(map[string]any{v.key: text})
		if err != nil {
			return nil, err
		}
		if problems := host.Set(&apps.Config{}, raw); len(problems) > 0 {
			return nil, fmt.Errorf("%s=%s: %v", v.name, text, host.Problems(problems)) // not wrapped: it would be told without the variable
		}
		keys[v.key] = raw[v.key]
	}
	return keys, nil
}

// parallel is how many apps are acted on at a time; 0: all.
func (s *session) parallel() (int, error) {
	name, text := "--parallel", s.text("parallel")
	if text == "" {
		name, text = "PM2_CONCURRENT_ACTIONS", os.Getenv("PM2_CONCURRENT_ACTIONS")
	}
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, usageError(fmt.Sprintf("%s %q is not a number of apps", name, text))
	}
	return n, nil
}
