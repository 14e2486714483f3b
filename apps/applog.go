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

// LogFiles are the files that the output goes to, those of stdout first.
func (a *App) LogFiles() []string {
	var paths []string
	if book := a.logs(); book != nil {
		book.mu.Lock()
		defer book.mu.Unlock()
		for _, s := range book.sinks {
			paths = append(paths, s.name)
		}
	}
	return paths
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
