package pm2

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// TestInspectWritesWhatNodeWrites compares with Node itself, on values of all
// shapes and lengths.
func TestInspectWritesWhatNodeWrites(t *testing.T) {
	values := []any{
		object{}, []any{}, object{{"a", object{{"b", object{{"c", object{{"d", 1}}}}}}}},
		object{{"pid", 1}, {"km:x", "it's"}, {"e", `it's "it"`}, {"f", "it's \"it\" `x`"}, {"ctrl", "a\x1b\n\t\\b"}, {"n", nil}},
		object{{"long", strings.Repeat("a line of text\n", 12)}, {"one", strings.Repeat("x", 200)}},
		[]any{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, []any{"a", "bb", "ccc", "dddd", "e", "f", "g"},
		object{{"f", 0.1}, {"g", 1e21}, {"h", 1.5e-7}, {"i", 123456789.25}, {"j", -0.5}},
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		values = append(values, someValue(random, 0))
	}
	many := make([]any, 130)
	for i := range many {
		many[i] = i * i
	}
	values = append(values, many)
	input, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "-e", `let s='';process.stdin.setEncoding('utf8').on('data',d=>s+=d).on('end',()=>console.log(JSON.stringify(JSON.parse(s).map(v=>require('util').inspect(v,{depth:null})))))`)
	node.Stdin = bytes.NewReader(input)
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node is missing or fails (install it: make deps): %v", err)
	}
	var want []string
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if got := inspect(v); got != want[i] {
			text, _ := json.Marshal(v)
			t.Fatalf("%s\ngot  %s\nwant %s", text, got, want[i])
		}
	}
}

func someValue(r *rand.Rand, depth int) any {
	kind := r.IntN(8)
	if depth > 4 {
		kind = r.IntN(5)
	}
	switch kind {
	case 0:
		return r.IntN(2) == 0
	case 1:
		return r.IntN(1 << r.IntN(30))
	case 2:
		return float64(r.IntN(1000)) / 8
	case 3:
		return nil
	case 4:
		words := []string{"a", "it's", "x\ny", `"q"`, "long " + strings.Repeat("long ", r.IntN(20)), "größe", "\u2713"}
		return words[r.IntN(len(words))]
	case 5:
		list := make([]any, r.IntN(14))
		if len(list) > 0 && r.IntN(2) == 0 { // all of one kind
			for i := range list {
				list[i] = r.IntN(1 << r.IntN(20))
			}
			return list
		}
		for i := range list {
			list[i] = someValue(r, depth+1)
		}
		return list
	}
	var o object
	for i := range r.IntN(7) {
		o.set(fmt.Sprintf("%s%d", []string{"k", "a-b", "$x", "long_name_of_a_key"}[r.IntN(4)], i), someValue(r, depth+1))
	}
	return o
}
