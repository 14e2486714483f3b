package service

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"roost/internal/httplint"
	"roost/service/control"
)

// socketClient asks the daemon as control.Client does, with every answer checked.
func socketClient(t *testing.T, d running) *http.Client {
	return &http.Client{Transport: &httplint.Transport{T: t, Base: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", d.Socket())
	}}}}
}

// TestAnswersOfTheSocketAreGoodHTTP asks for what is there: no other test sees
// more of these answers than control.Client makes of them.
func TestAnswersOfTheSocketAreGoodHTTP(t *testing.T) {
	d, _ := three(t)
	client := socketClient(t, d)
	for _, path := range []string{"ping", "status", "instances", "apps", "apps/web", "logs?lines=1", "/metrics", "ca"} {
		url := "http://roost/v1/" + path
		if path[0] == '/' {
			url = "http://roost" + path
		}
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(res.Body); res.StatusCode != 200 || err != nil {
			t.Errorf("%s: %s %q, %v", url, res.Status, text, err)
		}
		res.Body.Close()
	}
	res, err := client.Post("http://roost/v1/act", "application/json", strings.NewReader(`{"verb":"stop","targets":["web"]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); res.StatusCode != 200 || err != nil {
		t.Errorf("act: %s %q, %v", res.Status, text, err)
	}
}

func TestBadInputToAnyEndpointIsOneErrorWithAHintAndChangesNothing(t *testing.T) {
	d, b := three(t)
	b.mu.Lock()
	wanted := len(b.wanted)
	b.mu.Unlock()
	client := socketClient(t, d)
	ask := func(method, path, body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://roost"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Errorf("%s %s %.60s: %v", method, path, body, err)
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		var e control.Event
		if err := json.Unmarshal(text, &e); resp.StatusCode < 400 || err != nil || e.Error == nil || e.Error.Message == "" || e.Error.Hint == "" && len(e.Error.Problems) == 0 {
			t.Errorf("%s %s %.60s: status %d, %s", method, path, body, resp.StatusCode, text)
		}
	}
	changes := map[string][]string{
		"/v1/apps": {`{"config":{}}`, `{"config":{"name":"a b","cwd":"/"}}`, `{"config":{"name":"x","cwd":"relative","script":"x"}}`,
			`{"config":{"name":"x","cwd":"/","script":"/none"}}`, `{"config":{"name":"x","cwd":"/","script":"/bin/sh","instances":-5000}}`},
		"/v1/act": {`{}`, `{"verb":"dance","targets":["web"]}`, `{"verb":"stop"}`, `{"verb":"stop","targets":["/(/"]}`, `{"verb":"stop","targets":[""]}`,
			`{"verb":"stop","targets":["99999999999999999999"]}`, `{"verb":"stop","targets":["web"],"set":{"port":1}}`, `{"verb":"stop","targets":["web"],"environ":{}}`,
			`{"verb":"restart","targets":["web"],"parallel":-1}`, `{"verb":"restart","targets":["web"],"set":{"none":1}}`, `{"verb":"restart","targets":["web"],"set":{"name":"other"}}`,
			`{"verb":"restart","targets":["0"],"set":{"port":9}}`, `{"verb":"start","targets":["web"],"running":true}`, `{"verb":"signal","targets":["web"],"signal":"NONE"}`,
			`{"verb":"signal","targets":["web"]}`},
		"/v1/scale":   {`{}`, `{"app":"web"}`, `{"app":"web","change":"0"}`, `{"app":"web","change":"-9"}`, `{"app":"web","change":"+9223372036854775807"}`, `{"app":"none","change":"1"}`},
		"/v1/input":   {`{}`, `{"targets":["none"],"text":"x"}`},
		"/v1/message": {`{}`, `{"targets":["web"]}`, `{"targets":["none"],"message":1}`},
		"/v1/trigger": {`{}`, `{"targets":["web"],"action":"none"}`, `{"targets":["web"],"action":"say","timeout":-1}`, `{"targets":["web"],"action":"say","timeout":9e18}`},
		"/v1/apply": {`{}`, `{"file":"relative","text":""}`, `{"file":"/x/roost.toml","text":"="}`, `{"file":"/x/roost.toml","text":"[[app]]\nname='x'\nscript='/none'\ncwd='/none'"}`,
			`{"file":"/x/roost.toml","text":"","only":["none"]}`, `{"file":"/x/a.config.js","text":"module.exports = {}"}`, `{"file":"/x/a.json","text":"{\"apps\":[1]}"}`},
		"/v1/maintenance": {`{}`, `{"on":true}`, `{"site":"none.example","on":true}`, `{"site":"none.example"}`},
		"/v1/sites":       {`{}`, `{"site":{"root":"relative"}}`, `{"site":{"root":"/none"}}`, `{"site":{"domains":["a b"],"root":"/"}}`},
	}
	for path, bodies := range changes {
		for _, body := range append(bodies, "", "{", "null x", "[]", `"text"`, `{"unknown":1}`, `{} {}`, strings.Repeat("[", 100_000), `{"targets":"`+strings.Repeat("x", mostRequest)+`"}`) {
			ask("POST", path, body)
		}
		if path == "/v1/sites" {
			ask("DELETE", path, `{"site":{"domains":["none.example"]}}`)
			continue
		}
		ask("PUT", path, "{}")
	}
	for _, path := range []string{
		"/v1/instances?target=none", "/v1/instances?target=/(/", "/v1/instances/x/environ", "/v1/instances/99/environ", "/v1/instances/-1/environ", "/v1/apps/none", "/v1/apps/%00",
		"/v1/apps/..%2f..%2fetc", "/v1/logs", "/v1/logs?lines=-1", "/v1/logs?lines=1e9", "/v1/logs?lines=100001", "/v1/logs?lines=1&stream=both", "/v1/logs?lines=1&target=none",
		"/v1/events?target=none", "/v1/events?target=/(/", "/v2/apps", "/",
	} {
		ask("GET", path, "")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wanted) != wanted {
		t.Errorf("something was changed: %+v", b.wanted[wanted:])
	}
}
