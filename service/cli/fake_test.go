package cli

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roost/apps"
	"roost/service/control"
)

// fake answers the control socket of a home of its own, by method and path.
func fake(t *testing.T, answers map[string]func(w http.ResponseWriter, r *http.Request)) {
	t.Helper()
	home, err := os.MkdirTemp("", "roost-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	t.Setenv("ROOST_HOME", home)
	t.Setenv("NO_COLOR", "1")
	if answers == nil {
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/ping", answer(control.Pong{Version: "v1.2.3", PID: 42, Started: time.Now().Add(-90 * time.Second), Socket: "/home/run/roost.sock"}))
	for pattern, f := range answers {
		mux.HandleFunc(pattern, f)
	}
	if err := os.MkdirAll(filepath.Join(home, "run"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(home, "run", "roost.sock"))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: mux}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
}

func answer(v any) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(v) }
}

// refuse answers a change with an error, in its stream.
func refuse(e control.Error) func(http.ResponseWriter, *http.Request) {
	return answer(control.Event{Error: &e})
}

func result(t *testing.T, v any) func(http.ResponseWriter, *http.Request) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return answer(control.Event{Result: text})
}

// roost runs a command line in this process.
func roost(args ...string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = Main(append([]string{"roost"}, args...), &out, &err)
	return code, out.String(), err.String()
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

var rows = []apps.Instance{
	{App: "web", Namespace: "default", ID: 0, Slot: 0, Revision: 3, PID: 1234, State: apps.StateReady, Uptime: 133, CPU: 0.31, Memory: 22124953, PerMinute: 61},
	{App: "web", Namespace: "default", ID: 1, Slot: 1, Revision: 3, State: apps.StateBackoff, Reason: "exit status 1", Restarts: 4},
}

func TestListIsATableWithReasonsWhereThereAreSome(t *testing.T) {
	fake(t, map[string]func(http.ResponseWriter, *http.Request){"GET /v1/instances": answer(rows)})
	code, out, _ := roost("list")
	want(t, "list", out, ""+
		"name  id  slot  revision   pid  uptime  restarts  state     cpu   memory  req/min  reason\n"+
		"web    0     0         3  1234   2m13s         0  ready    0.3%  21.1 MB       61\n"+
		"web    1     1         3     -       -         4  backoff     -        -        0  exit status 1\n")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	_, out, _ = roost("list", "--sort", "id:desc")
	if lines := strings.Split(out, "\n"); !strings.HasPrefix(lines[1], "web    1") {
		t.Errorf("--sort id:desc:\n%s", out)
	}
	_, out, _ = roost("ls", "--json")
	var got []apps.Instance
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got) != 2 || got[1].Reason != "exit status 1" {
		t.Errorf("--json: %v, %+v", err, got)
	}
	code, _, words := roost("list", "--sort", "colour")
	want(t, "an unknown column", words, "roost: cannot sort by \"colour\"\nhint: by a column, such as --sort cpu:desc\n")
	if code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
}

func TestFailureShowsTheLastLinesAndAHint(t *testing.T) {
	fake(t, map[string]func(http.ResponseWriter, *http.Request){
		"POST /v1/act": refuse(control.Error{
			Code: control.CodeFailed, Message: "web: slot 0 exited with status 1 before it was ready", Hint: "roost logs web", Output: []string{"SyntaxError: x", "  at y"},
		}),
	})
	code, out, words := roost("reload", "web")
	want(t, "stderr", words, "roost: web: slot 0 exited with status 1 before it was ready\nits last lines:\n  | SyntaxError: x\n  |   at y\nhint: roost logs web\n")
	if code != 1 || out != "" {
		t.Errorf("exit code %d, stdout %q", code, out)
	}
}

func TestProblemsOfAConfigAreOneALineAndExitWith2(t *testing.T) {
	fake(t, map[string]func(http.ResponseWriter, *http.Request){
		"POST /v1/apply": refuse(control.Error{Code: control.CodeInvalid, Message: "the configuration has 2 problems; nothing was changed", Problems: []string{"/r.toml:3: a: b", "/r.toml:9: c"}}),
	})
	file := filepath.Join(t.TempDir(), "roost.toml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, words := roost("apply", file)
	want(t, "stderr", words, "/r.toml:3: a: b\n/r.toml:9: c\nroost: the configuration has 2 problems; nothing was changed\n")
	if code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
}

func TestPlanIsALineAStep(t *testing.T) {
	fake(t, map[string]func(http.ResponseWriter, *http.Request){
		"POST /v1/apply": result(t, control.Plan{Changes: []control.Change{
			{Verb: "add", Kind: "site", Name: "example.com", Detail: "-> public"}, {Verb: "change", Kind: "host"}, {Verb: "remove", Kind: "app", Name: "old"},
		}, Notes: []string{"web stays stopped"}}),
	})
	file := filepath.Join(t.TempDir(), "roost.toml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, words := roost("apply", file, "--dry-run")
	want(t, "stdout", out, "+ site example.com: -> public\n~ host\n- app old\n")
	want(t, "stderr", words, "roost: web stays stopped\n")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestWhatActedIsListed(t *testing.T) {
	fake(t, map[string]func(http.ResponseWriter, *http.Request){"POST /v1/act": result(t, control.Acted{Apps: []string{"api", "web"}, Instances: rows[:1], Notes: []string{"a note"}})})
	_, out, words := roost("restart", "all")
	if !strings.Contains(out, "web    0") && !strings.Contains(out, "ready") {
		t.Errorf("stdout:\n%s", out)
	}
	want(t, "stderr", words, "roost: a note\nroost: restarted api, web\n")
	_, out, words = roost("delete", "all", "--json")
	if !strings.HasPrefix(out, "[\n") {
		t.Errorf("--json:\n%s%s", out, words)
	}
}

func TestStatusSaysHowTheBoxStands(t *testing.T) {
	fake(t, map[string]func(http.ResponseWriter, *http.Request){"GET /v1/status": answer(control.Status{
		Pong: control.Pong{Version: "v1.2.3", PID: 42, Socket: "/h/run/roost.sock"}, Uptime: 90, File: "/h/roost.toml", State: "/h", Logs: "/h/logs",
		Problems:  []string{"cannot listen on :443"},
		Listeners: []control.Listener{{Name: "http", Address: "[::]:8080"}, {Name: "https", Address: ":443", Error: "nginx (pid 7) has it"}},
		Sites:     []control.Site{{Domains: []string{"example.com"}, Targets: []string{"/ → /srv/www", "/api/ → app web"}}, {Targets: []string{"/ → /srv/any"}}},
		Apps:      []apps.Status{{Name: "web", Revision: 3, Kind: "node", Instances: rows}},
		Certificates: []control.Certificate{
			{Name: "example.com", State: "pending", Error: "no such host"},
		},
		Box: control.Box{CPUs: 2, CPU: 1.5, MemoryTotal: 4 << 30, MemoryUsed: 1 << 30, Load1: 0.25, DaemonCPU: 0.1, DaemonRSS: 20 << 20},
	})})
	_, out, _ := roost("status")
	want(t, "status", out, `daemon  roost v1.2.3, pid 42, up 1m30s
uses    20.0 MB, 0.1% CPU
box     2 CPUs, 1.5% busy, 1.0 GB of 4.0 GB memory used, load 0.25
config  /h/roost.toml
state   /h
logs    /h/logs
socket  /h/run/roost.sock

listener  address    state
http      [::]:8080  listens
https     :443       nginx (pid 7) has it

site          leads to         req/min     p50     p99
example.com   / → /srv/www           0  0.0 ms  0.0 ms
              /api/ → app web
(every name)  / → /srv/any           0  0.0 ms  0.0 ms

app  ready  revision  reached by
web  1/2           3  node

certificate  state    expires  why
example.com  pending  -        no such host

1 problem
  cannot listen on :443
`)
}

func TestNobodyAnsweringIsSaidByThoseWhoOnlyLook(t *testing.T) {
	fake(t, nil)
	for _, args := range [][]string{{"list"}, {"status"}, {"ping"}, {"logs"}, {"describe", "web"}, {"stop", "web"}, {"scale", "web", "-1"}, {"ca"}, {"jlist"}, {"pid"}, {"id", "web"}, {"env", "0"}, {"send", "0", "x"}, {"attach", "0"}, {"message", "0", "1"}, {"trigger", "0", "gc"}, {"events"}, {"dump", "a.json"}, {"reopen"}} {
		code, out, words := roost(args...)
		if code != 1 || out != "" || !strings.HasPrefix(words, "roost: no daemon runs\nhint: start one: ROOST_HOME=") {
			t.Errorf("%v: exit code %d, %q, %q", args, code, out, words)
		}
	}
	if code, _, words := roost("kill"); code != 0 || words != "roost: no daemon runs\n" {
		t.Errorf("kill: exit code %d, %q", code, words)
	}
}

func TestWrongUsageExitsWith2AndAHint(t *testing.T) {
	fake(t, nil)
	for line, stderr := range map[string]string{
		"strat":                             "roost: unknown command \"strat\"\nhint: did you mean start?\n",
		"frobnicate":                        "roost: unknown command \"frobnicate\"\nhint: roost --help lists the commands\n",
		"help strat":                        "roost: unknown command \"strat\"\nhint: did you mean start?\n",
		"completion tcsh":                   "roost: unknown command \"tcsh\"\nhint: did you mean bash or zsh or fish?\n",
		"service instal":                    "roost: unknown command \"instal\"\nhint: did you mean install?\n",
		"ca shwo":                           "roost: unknown command \"shwo\"\nhint: did you mean show?\n",
		"logs --json --raw":                 "roost: --json, --format and --raw exclude each other\nhint: one of them\n",
		"cleardump":                         "roost: unknown command \"cleardump\"\nhint: what is saved is what is wanted; to want nothing: roost delete all\n",
		"set pm2:x 1":                       "roost: unknown command \"set\"\nhint: settings are keys of a config file, and flags: roost restart APP --env KEY=VALUE\n",
		"unset x":                           "roost: unknown command \"unset\"\nhint: settings are keys of a config file, and flags: roost restart APP --cron-restart null\n",
		"save now":                          "roost: roost save does not take \"now\"\nhint: usage: roost save\n",
		"dump apps.txt":                     "roost: apps.txt would not be known as a config file\nhint: give it a name that ends in .json\n",
		"message web {":                     "roost: \"{\" is not JSON\nhint: a text needs its own quotes: '\"refresh\"'\n",
		"jlist web":                         "roost: roost jlist does not take \"web\"\nhint: usage: roost jlist\n",
		"stop":                              "roost: roost stop needs an app: its name, an id, a namespace, all or /regular expression/\nhint: usage: roost stop APP|FILE...\n",
		"list --colour":                     "roost: unknown flag: --colour\nhint: see roost list --help\n",
		"ping now":                          "roost: roost ping does not take \"now\"\nhint: usage: roost ping\n",
		"scale web many":                    "roost: \"many\" is not a number of instances\nhint: 4, +2 or -1\n",
		"start -i x a.js":                   "roost: invalid argument \"x\" for \"-i, --instances\" flag: instances = \"x\" is neither \"max\" nor a number\nhint: see roost start --help\n",
		"start eco.json":                    "roost: there is no file eco.json\nhint: name a config file; it is called roost.toml as a rule\n",
		"start a.toml -- -v":                "roost: arguments do not go with the file a.toml\nhint: write them into the file: args\n",
		"start --node-args \" a":            "roost: invalid argument \"\\\"\" for \"--node-args\" flag: cannot split \"\\\"\" into words; close the quote\nhint: see roost start --help\n",
		"restart w --merge-logs=x":          "roost: invalid argument \"x\" for \"--merge-logs\" flag: neither true nor false\nhint: see roost restart --help\n",
		"reload w --max-memory-restart big": "roost: invalid argument \"big\" for \"--max-memory-restart\" flag: max_memory_restart: \"big\" is not a size: write bytes or a text such as \"10M\"\nhint: see roost reload --help\n",
		"restart w --max-restarts x":        "roost: invalid argument \"x\" for \"--max-restarts\" flag: max_restarts wants a whole number, not the text \"x\"\nhint: see roost restart --help\n",
		"restart w --env production":        "roost: --env \"production\" is not KEY=VALUE\nhint: such as: --env NODE_ENV=production\n",
		"start":                             "roost: roost start needs a script, a program, a command, a config file or an app\nhint: such as: roost start server.js\n",
		"start a.js b.js -n c":              "roost: --name \"c\" is for one app, not for 2\nhint: start them one after the other\n",
		"serve":                             "roost: roost serve needs a folder\nhint: such as: roost serve public\n",
		"serve /nowhere":                    "roost: /nowhere does not exist\nhint: create it, or correct the path\n",
		"logs -n -1":                        "roost: --lines cannot be negative\nhint: such as: --lines 100\n",
		"check /none.toml":                  "roost: there is no file /none.toml\nhint: name a config file; it is called roost.toml as a rule\n",
		"run /none.toml":                    "roost: there is no file /none.toml\nhint: name a config file; it is called roost.toml as a rule\n",
	} {
		code, out, words := roost(strings.Fields(line)...)
		if code != 2 || out != "" || words != stderr {
			t.Errorf("roost %s: exit code %d, %q, %q\nwant %q", line, code, out, words, stderr)
		}
	}
}

func TestDescribeHidesNothingAndLeavesOutWhatIsNot(t *testing.T) {
	exit := 1
	instances := []apps.Instance{rows[0], rows[1]}
	instances[0].Address, instances[0].LagMS, instances[1].ExitCode = "unix:/r/0.sock", 1.25, &exit
	fake(t, map[string]func(http.ResponseWriter, *http.Request){"GET /v1/apps/web": answer(control.App{
		Status: apps.Status{Name: "web", Namespace: "default", Revision: 3, Kind: "node", Strategy: "overlap", Failure: "slot 1 is in a crash loop", Instances: instances},
		Config: apps.Config{Script: "/srv/server.js", Cwd: "/srv", Args: apps.Words{"--a", "b c"}, Env: map[string]string{"B": "***", "A": "***"}},
		Source: "/srv/roost.toml", Logs: []string{"/l/web-out.log", "/l/web-error.log"}, Sites: []string{"example.com/"},
		Traffic: &control.Traffic{Requests: 10, PerMinute: 2, Classes: map[string]uint64{"2xx": 9, "5xx": 1}, P50: 1, P90: 2, P99: 3},
	})})
	_, out, _ := roost("describe", "web")
	want(t, "describe", out, `app          web
namespace    default
failure      slot 1 is in a crash loop
script       /srv/server.js
arguments    --a 'b c'
folder       /srv
declared in  /srv/roost.toml
revision     3
reached by   node
next reload  overlap
sites        example.com/
requests     10, 2.0/min, 9 2xx, 1 5xx, p50 1.0 ms, p90 2.0 ms, p99 3.0 ms
logs         /l/web-out.log
             /l/web-error.log
env          A=***
             B=***

name  id  slot  revision   pid  uptime  restarts  state     cpu   memory  req/min  reason
web    0     0         3  1234   2m13s         0  ready    0.3%  21.1 MB       61
web    1     1         3     -       -         4  backoff     -        -        0  exit status 1

id  address         in flight  requests  event loop  started  last exit
 0  unix:/r/0.sock          0         0      1.2 ms  -        -
 1  -                       0         0           -  -        1
`)
}
