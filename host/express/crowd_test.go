package express

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"roost/internal/httplint"
)

// badly answers in one of the ways that leave something behind. All that belongs
// to a request is made of one letter, and its number.
func badly(t *testing.T, late *sync.WaitGroup) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		letter, number, way := r.URL.Path[1:2], r.URL.Path[2:], r.URL.RawQuery
		for _, value := range r.Header["X-Mine"] {
			if value != letter+number {
				t.Errorf("%s has a field of %s", r.URL.Path, value)
			}
		}
		if len(r.Header["X-Mine"]) != 1 {
			t.Errorf("%s has %d fields", r.URL.Path, len(r.Header["X-Mine"]))
		}
		w.(*Answer).Watch()
		name, body := letter+number, r.Body
		mine := func(what string) {
			if strings.Trim(what, letter) != "" {
				t.Errorf("%s has read %.40q", name, what)
			}
		}
		h := w.Header()
		h["X-Mine"] = r.Header["X-Mine"]
		h["Content-Type"], h["X-Content-Type-Options"] = []string{"text/plain; charset=utf-8"}, []string{"nosniff"}
		switch way {
		case "all":
			all, _ := io.ReadAll(r.Body)
			mine(string(all))
		case "half":
			some := make([]byte, max(1, r.ContentLength/2))
			n, _ := r.Body.Read(some)
			mine(string(some[:n]))
		case "late":
			_ = http.NewResponseController(w).EnableFullDuplex()
			late.Go(func() {
				all, _ := io.ReadAll(body)
				mine(string(all))
			})
		case "slow":
			<-time.After(watchDelay)
		case "fields":
			h["X-Only-"+letter] = []string{letter}
		case "trailer":
			h["Trailer"] = []string{"X-End"}
			defer func() { h["X-End"] = []string{letter + number} }()
		case "hints":
			w.WriteHeader(http.StatusEarlyHints)
		case "long":
			h["Content-Length"] = []string{"100000"}
			_, _ = io.WriteString(w, strings.Repeat(letter, 100_000))
			return
		case "panic":
			_, _ = io.WriteString(w, letter)
			panic(http.ErrAbortHandler)
		case "panic-later":
			_, _ = io.WriteString(w, strings.Repeat(letter, 20_000))
			panic(http.ErrAbortHandler)
		}
		if r.Context().Err() != nil {
			t.Errorf("%s: the client is taken for gone", r.URL.Path)
		}
		_, _ = io.WriteString(w, strings.Repeat(letter, 3000))
	}
}

// TestNobodyGetsWhatIsAnothers has many clients ask at once, several requests in
// a row and cut anywhere, for answers that break off or leave something behind.
func TestNobodyGetsWhatIsAnothers(t *testing.T) {
	t.Parallel()
	var late sync.WaitGroup
	r := newRoad(t, badly(t, &late), nil)
	ways := []string{"all", "half", "late", "slow", "fields", "trailer", "hints", "long", "panic", "panic-later", "all", "half", "late"}
	client := func(letter string, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 1))
		for number := 0; number < 40; {
			c, err := net.Dial("tcp", r.listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			var sent bytes.Buffer
			var asked []*http.Request
			var asking []string
			for range 1 + random.IntN(8) {
				way := ways[random.IntN(len(ways))]
				name := letter + strconv.Itoa(number)
				number++
				body := strings.Repeat(letter, []int{0, 1, 10, 5000, 40_000}[random.IntN(5)])
				fmt.Fprintf(&sent, "POST /%s?%s HTTP/1.1\r\nHost: a.test\r\nX-Mine: %s\r\nContent-Length: %d\r\n\r\n%s", name, way, name, len(body), body)
				request, _ := http.NewRequest("POST", "/", nil)
				asked, asking = append(asked, request), append(asking, name+" "+way)
			}
			var sending sync.WaitGroup
			cuts := random.Perm(40)
			sending.Go(func() {
				for _, n := range cuts {
					if _, err := c.Write(sent.Next(1 + n*n*9)); err != nil {
						return
					}
				}
				_, _ = c.Write(sent.Bytes())
			})
			in := bufio.NewReader(c)
			for i, request := range asked {
				name, way, _ := strings.Cut(asking[i], " ")
				broken := strings.HasPrefix(way, "panic")
				res, err := httplint.Read(t, in, request)
				if err != nil {
					if !broken {
						t.Errorf("%s: %v", asking[i], err)
					}
					break
				}
				body, err := io.ReadAll(res.Body)
				if broken == (err == nil) || strings.Trim(string(body), letter) != "" || res.Header.Get("X-Mine") != name {
					t.Errorf("%s: %v %.40q of %d bytes, %v", asking[i], res.Header, body, len(body), err)
				}
				for field := range res.Header {
					if only, ok := strings.CutPrefix(field, "X-Only-"); ok && (only != letter || way != "fields") {
						t.Errorf("%s: %s", asking[i], field)
					}
				}
				if broken {
					break
				}
			}
			_ = c.Close()
			sending.Wait()
		}
	}
	var clients sync.WaitGroup
	for i := range 16 {
		clients.Go(func() { client(string(rune('A'+i)), uint64(i)) })
	}
	clients.Wait()
	late.Wait()
	until(t, "all connections are gone", func() bool { return r.open.Load() == 0 })
}
