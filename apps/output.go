package apps

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// output is the two pipes from a process to its log.
type output struct {
	out, err             io.Writer
	outReader, errReader *os.File
	outWriter, errWriter *os.File
	done                 chan struct{} // closed when both have ended
}

// outputTime is how long after the end of a process its output is waited for:
// something that has escaped from its tree may hold the pipes open for ever.
const outputTime = time.Second

func newOutput(who *account, out, err io.Writer) (*output, error) {
	o := &output{out: out, err: err, done: make(chan struct{})}
	for _, pipe := range []struct{ r, w **os.File }{{&o.outReader, &o.outWriter}, {&o.errReader, &o.errWriter}} {
		r, w, e := os.Pipe()
		if e == nil {
			*pipe.r, *pipe.w = r, w
			e = who.own(w)
		}
		if e != nil {
			o.started()
			o.abandon()
			return nil, fmt.Errorf("cannot make a pipe for the output: %w", e)
		}
	}
	return o, nil
}

// started closes the process's ends of the pipes.
func (o *output) started() {
	o.outWriter.Close()
	o.errWriter.Close()
}

// abandon closes our ends of the pipes.
func (o *output) abandon() {
	o.outReader.Close()
	o.errReader.Close()
}

// pump copies until both pipes have ended.
func (o *output) pump(helpers *sync.WaitGroup) {
	var both sync.WaitGroup
	both.Go(func() { io.Copy(o.out, o.outReader) })
	both.Go(func() { io.Copy(o.err, o.errReader) })
	helpers.Go(func() {
		both.Wait()
		close(o.done)
	})
}

// drain waits for what is left in the pipes.
func (o *output) drain() {
	timer := time.NewTimer(outputTime)
	defer timer.Stop()
	select {
	case <-o.done:
	case <-timer.C:
	}
	o.abandon()
	<-o.done
}
