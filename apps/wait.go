package apps

// Wait is what an app must wait for because of others. The zero value is nothing.
type Wait struct {
	// Reason says why no instance starts yet; those that run go on. Empty: they may start.
	Reason string
	// Failed says that it will not come true by itself: Settle returns a *Failure with Reason.
	Failed bool
	// Stay keeps instances that are not wanted any more: who needs them still runs.
	Stay bool
}

// Hold says what the app must wait for from now on. It does not wait itself.
func (a *App) Hold(w Wait) {
	a.post(func() {
		if a.ending {
			return
		}
		a.wait = w
		a.want.held, a.want.stays = w.Reason != "", w.Stay
	})
}

// despair makes the failure of what is waited for the app's own, as long as it
// lasts and something is to start.
func (a *App) despair() {
	switch {
	case a.changing && a.wait.Failed && a.failure == nil:
		a.hopeless = &Failure{App: a.wanted.Name, Reason: a.wait.Reason, Hint: "see to that app first", Waits: true}
		a.failure = a.hopeless
		a.log.Warn("not as wanted", "reason", a.wait.Reason)
	case !a.wait.Failed && a.failure != nil && a.failure == a.hopeless:
		a.failure = nil
	}
}

// differs reports whether an app stands otherwise than it did in a way that
// matters to others.
func (s *standing) differs(was *standing) bool {
	if s.status.Revision != was.status.Revision || s.status.Failure != was.status.Failure || len(s.rows) != len(was.rows) {
		return true
	}
	for i, r := range s.rows {
		w := was.rows[i]
		if r.ID != w.ID || r.Revision != w.Revision || r.State != w.State || (r.PID == 0) != (w.PID == 0) || (r.ExitCode == nil) != (w.ExitCode == nil) ||
			r.ExitCode != nil && *r.ExitCode != *w.ExitCode {
			return true
		}
	}
	return false
}
