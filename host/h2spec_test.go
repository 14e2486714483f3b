package host

import (
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"roost/internal/testcache"
)

// h2spec runs h2spec's cases, all or those of some sections, against an address
// and returns those that failed, each with its section, and how many there are.
func h2spec(t *testing.T, address string, sections ...string) (failed map[string]string, cases int) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report.xml")
	args := append([]string{"-h", host, "-p", port, "-t", "-k", "-o", "5", "-j", report}, sections...)
	cmd := exec.CommandContext(t.Context(), testcache.H2spec(t), args...)
	said, _ := cmd.CombinedOutput() // fails when a case does
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var suites struct {
		Suites []struct {
			Name    string `xml:"name,attr"`
			Package string `xml:"package,attr"`
			Cases   []struct {
				Name    string    `xml:"classname,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &suites); err != nil {
		t.Fatal(err)
	}
	failed = map[string]string{}
	for _, s := range suites.Suites {
		for _, c := range s.Cases {
			cases++
			if c.Failure != nil || c.Error != nil || c.Skipped != nil {
				failed[s.Name+": "+c.Name] = s.Package
			}
		}
	}
	return failed, cases
}

func TestH2specPassesAsManyCasesAsWithNetHTTP(t *testing.T) {
	t.Parallel()
	const all, most = 145, 4 // cases, and how many of them may fail
	b := newBox(t)
	c := Config{Sites: []Site{{Target: Target{Root: b.folder(map[string]string{"index.html": "hello"})}}}}
	b.settled(c)
	app := newBox(t)
	c = Config{Sites: []Site{{Target: Target{App: "web"}}}}
	testApp(t, &c, "web", "one", 1)
	app.settled(c)
	peer := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, "hello")
	}))
	peer.EnableHTTP2 = true
	peer.Config.ErrorLog = log.New(io.Discard, "", 0)
	peer.StartTLS()
	defer peer.Close()

	failed := map[string]map[string]string{}
	var mu sync.Mutex
	var running sync.WaitGroup
	addresses := map[string]string{"a folder": b.address("https"), "an app": app.address("https"), "net/http": peer.Listener.Addr().String()}
	for name, address := range addresses {
		running.Go(func() {
			f, cases := h2spec(t, address)
			mu.Lock()
			defer mu.Unlock()
			failed[name] = f
			if cases != all {
				t.Errorf("%s: %d cases", name, cases)
			}
		})
	}
	running.Wait()
	for _, name := range []string{"a folder", "an app"} {
		// Some cases want an error of a stream that a folder has answered and closed by then, if it was fast. They have two more tries.
		for range 2 {
			for fails, section := range failed[name] {
				if _, too := failed["net/http"][fails]; too {
					continue
				}
				if again, _ := h2spec(t, addresses[name], section); again[fails] == "" {
					delete(failed[name], fails)
				}
			}
		}
		if n := len(failed[name]); n > most || n > len(failed["net/http"]) {
			t.Errorf("%s fails %d of %d cases, net/http %d:\n\t%s\n\nnet/http:\n\t%s", name, n, all, len(failed["net/http"]),
				strings.Join(slices.Sorted(maps.Keys(failed[name])), "\n\t"), strings.Join(slices.Sorted(maps.Keys(failed["net/http"])), "\n\t"))
		}
	}
}
