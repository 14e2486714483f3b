package cli

import (
	"bytes"
	"io"
	"os"
	"strings"

	"roost/service/control"
)

// lastWords is the file that a daemon in the background writes what it cannot
// log: why it could not start, or a crash.
type lastWords struct {
	file *os.File
	from int64 // where this daemon's words begin
}

func openWords(path string) (lastWords, error) {
	const most = 1 << 20
	mode := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > most {
		mode |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, mode, 0o600)
	if err != nil {
		return lastWords{}, err
	}
	from, err := f.Seek(0, io.SeekEnd)
	return lastWords{f, from}, err
}

// failure is what the daemon said before it ended, as an error: problems of a
// config, then the message, then the hint, as every command prints them. A
// crash has no message, only a trace.
func (w lastWords) failure(hint string) error {
	e := &control.Error{Code: control.CodeFailed, Message: "the daemon ended at once", Hint: hint}
	text, err := os.ReadFile(w.file.Name())
	if err != nil || int64(len(text)) <= w.from {
		return e
	}
	var lines []string
	for line := range strings.Lines(string(bytes.TrimSpace(text[w.from:]))) {
		line = strings.TrimRight(line, "\n")
		if what, ok := strings.CutPrefix(line, "roost: "); ok {
			e.Message, e.Hint = "cannot start a daemon: "+what, ""
			e.Problems, lines = append(e.Problems, lines...), nil
		} else if hint, ok := strings.CutPrefix(line, "hint: "); ok {
			e.Hint = hint
		} else {
			lines = append(lines, line)
		}
	}
	e.Output = lines
	if len(e.Problems) > 0 {
		e.Code = control.CodeInvalid
	}
	return e
}
