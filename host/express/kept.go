package express

import "bytes"

// Kept is the head of an answer, to be written again: the status line and the
// fields, but those that frame the body, say when it was, and end the connection.
type Kept struct {
	status int
	length int64 // of the body; -1: not said
	text   []byte
}

// Keep returns the head of which WriteHeader was told last; nil if it holds for
// this answer alone.
func (a *Answer) Keep() *Kept {
	if a.begun || a.dated || a.trailers != nil || !a.typed && a.content() {
		return nil
	}
	return &Kept{a.status, a.length, bytes.Clone(a.out)}
}

// WriteKept is WriteHeader with the fields and the status that were kept. What
// Header has is left out.
func (a *Answer) WriteKept(k *Kept) {
	if a.status == 0 {
		a.status, a.length, a.typed = k.status, k.length, true
		a.hold()
		a.out = append(a.out, k.text...)
	}
}
