package apps

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

var (
	// ErrNoInput is returned for a slot in which no program runs that has an input.
	ErrNoInput = errors.New("no program runs that could read it")
	// ErrDeaf is returned for a program that does not read its input.
	ErrDeaf = errors.New("the program does not read its input")
)

// inputTime is how long a program may take to read what is sent to it. What
// fits into the pipe (64 KiB on Linux) needs no reader yet.
const inputTime = time.Second

// Input writes text to the standard input of the slot's instance, or of all
// when slot is negative: of the one that serves, else of the one that starts.
// It waits a second at most; of what a program has not taken by then it may
// have got a part. Errors wrap ErrNoInput, ErrDeaf or ErrEnded.
func (a *App) Input(slot int, text []byte) error {
	procs, err := a.procs(slot)
	if err != nil {
		return err
	}
	if len(procs) == 0 {
		return ErrNoInput
	}
	var all sync.WaitGroup
	errs := make(chan error, len(procs))
	for n, p := range procs {
		all.Go(func() {
			if err := p.Input(text); err != nil {
				errs <- fmt.Errorf("cannot write to slot %d: %w", n, err)
			}
		})
	}
	all.Wait()
	close(errs)
	var failed []error
	for err := range errs {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// input is the standard input of a process: a pipe that stays open, so that a
// program which reads it does not see its end. A nil one is that of none.
type input struct {
	child, ours *os.File
	turn        chan struct{} // has a token while somebody writes
}

func newInput(who *account) (*input, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cannot make a pipe for the input: %w", err)
	}
	i := &input{r, w, make(chan struct{}, 1)}
	if err := who.own(r); err != nil {
		i.close()
		return nil, fmt.Errorf("cannot make a pipe for the input: %w", err)
	}
	return i, nil
}

// close ends the input; the child's end as well, when it has not been taken.
func (i *input) close() {
	i.child.Close()
	i.ours.Close()
}

func (i *input) write(text []byte) error {
	if i == nil {
		return ErrNoInput
	}
	timer := time.NewTimer(inputTime)
	defer timer.Stop()
	select {
	case i.turn <- struct{}{}:
	case <-timer.C:
		return ErrDeaf
	}
	i.ours.SetWriteDeadline(time.Now().Add(inputTime)) // Windows has none: there the write may last as long as the program
	done := make(chan error, 1)
	go func() {
		n, err := i.ours.Write(text)
		if err == nil && n < len(text) {
			err = io.ErrShortWrite
		}
		<-i.turn
		done <- err
	}()
	select {
	case err := <-done:
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return ErrDeaf
		case errors.Is(err, os.ErrClosed), errors.Is(err, syscall.EPIPE):
			return ErrNoInput
		}
		return err
	case <-timer.C:
		return ErrDeaf
	}
}
