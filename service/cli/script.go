package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"roost/apps"
	"roost/apps/ecosystem"

	"github.com/google/shlex"
)

// NotStartable says that a word names nothing that could be started.
type NotStartable struct{ usageError }

func (e *NotStartable) Unwrap() error { return &e.usageError }

// SetProgram sets what a runs, a script, a program of PATH or a command line,
// and its name where it has none. It fails with *NotStartable when the word is none of these.
func SetProgram(a *apps.Config, word string) error {
	name := func(path string) {
		if a.Name == "" {
			a.Name = ecosystem.Name(path)
		}
	}
	for _, dir := range []string{"", a.Cwd} { // as the shell completes it, or as PM2 resolves it
		path := word
		if dir != "" && !filepath.IsAbs(word) {
			path = filepath.Join(dir, word)
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return fmt.Errorf("cannot find %s: %w", word, err)
		}
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			if !strings.ContainsRune(word, filepath.Separator) {
				continue // perhaps an app of that name
			}
			return usage(word+" is a folder", "serve it: roost serve %s; or start a script in it", word)
		case err == nil:
			a.Script = path
			name(path)
			return nil
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("cannot start %s: %w", word, err)
		}
	}
	if strings.ContainsAny(word, " \t") {
		words, err := shlex.Split(word)
		if err != nil || len(words) == 0 {
			return usage(fmt.Sprintf("cannot split %q into words", word), "close the quote")
		}
		a.Command = ecosystem.Command(word)
		name(words[0])
		return nil
	}
	if path, err := exec.LookPath(word); err == nil {
		if path, err = filepath.Abs(path); err != nil {
			return fmt.Errorf("cannot find %s: %w", word, err)
		}
		a.Command = shellQuote(path)
		name(word)
		return nil
	}
	return &NotStartable{usageError{fmt.Sprintf("there is no script, program or app %q", word), "name a file in this folder, a program of PATH, or an app of: roost list"}}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
