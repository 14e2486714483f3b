// Command shares reads what perf script prints of a Go server (-F ip,sym,dso), and prints where its time went, the most first, one line for each kind of work:
//
//	31.4 %  system calls: write
//
// A sample counts once: for the first of its functions, from the innermost out, that says what it is about.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	counts, all, err := count(os.Stdin)
	if err != nil {
		log.Fatal("shares: ", err)
	}
	if all == 0 {
		log.Fatal("shares: there is no sample")
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		fmt.Printf("%5.1f %%  %s\n", float64(counts[name])*100/float64(all), name)
	}
}

// count reads samples: a line for each function, the innermost first, and an empty line behind.
func count(from io.Reader) (counts map[string]int, all int, err error) {
	counts = make(map[string]int)
	var stack []string
	end := func() {
		if len(stack) > 0 {
			counts[kind(stack)]++
			all++
		}
		stack = stack[:0]
	}
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "" {
			end()
			continue
		}
		_, function, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ") // behind its address
		stack = append(stack, function)
	}
	end()
	return counts, all, lines.Err()
}

// kinds are what functions are about, by the beginnings of their names; of two that fit, the first counts.
var kinds = []struct {
	name   string
	prefix []string
}{
	{"memory: allocation and collection", []string{"runtime.malloc", "runtime.newobject", "runtime.growslice", "runtime.makeslice", "runtime.gc", "runtime.bg", "runtime.(*m", "runtime.scan", "runtime.greyobject", "runtime.wb", "runtime.sweep", "runtime.sysmon"}},
	{"scheduler: goroutines that wait for one another", []string{"runtime.schedule", "runtime.findRunnable", "runtime.findrunnable", "runtime.mcall", "runtime.park_m", "runtime.gopark", "runtime.goready", "runtime.ready", "runtime.selectgo", "runtime.chan", "runtime.sel", "runtime.send", "runtime.recv", "runtime.newproc", "runtime.goexit0", "runtime.netpoll", "runtime.futex", "runtime.execute", "runtime.stealWork", "runtime.wakep", "runtime.mstart", "runtime.morestack", "runtime.newstack", "runtime.copystack", "sync.", "internal/sync."}},
	{"TLS", []string{"crypto/"}},
	{"header compression", []string{"vendor/golang.org/x/net/http2/hpack.", "net/http/internal/httpcommon.", "net/http.http2enc", "net/http.(*http2writeResHeaders)"}},
	{"HTTP/2 of net/http: frames and streams", []string{"net/http.http2", "net/http.(*http2"}},
	{"Roost", []string{"roost/"}},
	{"net/http besides", []string{"net/http.", "net/textproto.", "net/url."}},
}

// kind names what a sample is about.
func kind(stack []string) string {
	kernel := slices.ContainsFunc(stack, func(f string) bool {
		return strings.HasPrefix(f, "do_syscall") || strings.HasPrefix(f, "entry_SYSCALL") || strings.HasPrefix(f, "el0_svc")
	})
	for _, function := range stack {
		if strings.Contains(function, "([kernel") {
			continue
		}
		lower := strings.ToLower(function)
		if kernel { // by who asks for it
			switch {
			case strings.HasPrefix(function, "runtime."):
				return "scheduler: goroutines that wait for one another"
			case strings.Contains(lower, "write"):
				return "system calls: write"
			case strings.Contains(lower, "read"):
				return "system calls: read"
			}
			continue
		}
		for _, k := range kinds {
			if slices.ContainsFunc(k.prefix, func(p string) bool { return strings.HasPrefix(function, p) }) {
				return k.name
			}
		}
	}
	if kernel {
		return "system calls: others"
	}
	return "others"
}
