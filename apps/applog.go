package apps

import "path/filepath"

// This file is App's output: what has come of it, what comes, and its files.

// History returns the output that has come so far, for Tail. It must be closed.
func (a *App) History() *History {
	if book := a.logs(); book != nil {
		return book.history(nil)
	}
	return &History{}
}

// Follow returns the output that has come so far and the lines that come after
// that. The history must be closed; stop ends the lines and must be called. A slow
// reader loses lines.
func (a *App) Follow() (h *History, lines <-chan Line, stop func()) {
	if book := a.logs(); book != nil {
		return book.follow()
	}
	none := make(chan Line)
	close(none)
	return &History{}, none, func() {}
}

// LogFiles are where the output of one slot goes; a path is empty where it goes nowhere.
type LogFiles struct {
	Out  string `json:"out,omitempty"`
	Err  string `json:"err,omitempty"`
	Both string `json:"both,omitempty"` // once more, of both streams
}

// LogFiles are the files that the output of a slot goes to.
func (a *App) LogFiles(slot int) (f LogFiles) {
	book := a.logs()
	if book == nil {
		return f
	}
	book.mu.Lock()
	defer book.mu.Unlock()
	for name, path := range map[stream]*string{streamOut: &f.Out, streamErr: &f.Err} {
		for _, s := range book.sinksOf(origin{slot: slot, stream: name}) {
			if s.place.also {
				f.Both = s.name
			} else {
				*path = s.name
			}
		}
	}
	return f
}

// Flush empties the app's log files.
func (a *App) Flush() error {
	if book := a.logs(); book != nil {
		return book.flush()
	}
	return nil
}

// Reopen closes the app's log files and opens them again at their paths, for
// those who have moved them.
func (a *App) Reopen() error {
	if book := a.logs(); book != nil {
		return book.reopen()
	}
	return nil
}

// logLayout is where this app's log files are when it does not say.
func (a *App) logLayout() logLayout {
	if a.o.PM2Home != "" {
		return logLayout{dir: filepath.Join(a.o.PM2Home, "logs"), pm2: true}
	}
	return logLayout{dir: a.o.LogDir}
}

func (a *App) logs() *logBook {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.book
}
