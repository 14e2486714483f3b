// Command gap asks a URL again and again, a new connection each time, and tells how long nobody answered:
//
//	gap -for 3s http://127.0.0.1:3000/
//
// It prints: answered, failed, the longest time between two answers and the slowest answer, in milliseconds.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() {
	length := flag.Duration("for", 3*time.Second, "how long to ask")
	askers := flag.Int("c", 4, "how many ask at a time")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: gap [-for 3s] [-c 4] URL")
		os.Exit(2)
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // only the time counts here, and the peer is ours
	}}
	var (
		mu               sync.Mutex
		wait             sync.WaitGroup
		answered, failed int
		longest, slowest time.Duration
		last             = time.Now()
		end              = time.Now().Add(*length)
	)
	for range *askers {
		wait.Go(func() {
			for time.Now().Before(end) {
				began := time.Now()
				response, err := client.Get(flag.Arg(0))
				if err == nil {
					_, err = io.Copy(io.Discard, response.Body)
					response.Body.Close()
					if err == nil && response.StatusCode != http.StatusOK {
						err = fmt.Errorf("status %d", response.StatusCode)
					}
				}
				now := time.Now()
				mu.Lock()
				if err != nil {
					failed++
				} else {
					answered++
					longest, slowest, last = max(longest, now.Sub(last)), max(slowest, now.Sub(began)), now
				}
				mu.Unlock()
				time.Sleep(time.Millisecond) // bounded: a refused connection fails in microseconds
			}
		})
	}
	wait.Wait()
	fmt.Printf("answered %d failed %d gap_ms %.1f slowest_ms %.1f\n", answered, failed, longest.Seconds()*1e3, slowest.Seconds()*1e3)
}
