package pm2

import (
	"fmt"
	"strconv"
	"strings"

	"roost/internal/unit"

	"github.com/google/shlex"
)

// The readers of flags turn PM2's way to write a value into that of [[app]].

// words splits as a shell does: --node-args="--inspect --title 'a b'".
func words(s string) (any, error) {
	list, err := shlex.Split(s)
	if err != nil {
		return nil, fmt.Errorf("cannot split %q into words: close the quote", s)
	}
	return texts(list), nil
}

// list splits at blanks and commas: --ignore-watch "node_modules tmp".
func list(s string) (any, error) {
	return texts(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })), nil
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func number(s string) (any, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not a whole number", s)
	}
	return n, nil
}

// numbers reads "1,2 3".
func numbers(s string) (any, error) {
	var out []any
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := number(word)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// seconds reads "4", which is seconds here, and "4000ms".
func seconds(s string) (any, error) {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return s + "s", nil
	}
	return s, nil
}

// memory reads bytes or a number with a unit; PM2's words when it is neither.
func memory(s string) (any, error) {
	var size unit.Size
	if size.Decode(s) != nil {
		return nil, inWords(`Verify "max_memory_restart" with regex failed, it should be a NUMBER - byte, "[NUMBER]G"(Gigabyte), "[NUMBER]M"(Megabyte) or "[NUMBER]K"(Kilobyte)`)
	}
	return s, nil
}
