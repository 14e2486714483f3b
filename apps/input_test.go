//go:build unix

package apps

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestInputReachesTheProgramAndStaysOpen(t *testing.T) {
	a := live(t)
	w := a.node("app.js", `
		process.stdin.on('data', (d) => process.stdout.write('slot ' + process.env.ROOST_SLOT + ' got ' + d))
		process.stdin.on('end', () => console.log('end'))
		process.send('ready')`, 2)
	w.WaitReady = true
	a.want(w)
	if err := a.Input(1, []byte("one\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "slot 1 has read it", func() bool { return a.said("slot 1 got one") })
	if err := a.Input(-1, []byte("all\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both have read it", func() bool { return a.said("slot 0 got all") && a.said("slot 1 got all") })
	if a.said("end") {
		t.Error("the program saw the end of its input")
	}
	if err := a.Input(2, nil); !errors.Is(err, ErrNoInput) {
		t.Errorf("Input to a slot that is not there: %v", err)
	}
	a.stop()
	if err := a.Input(0, []byte("x")); !errors.Is(err, ErrEnded) {
		t.Errorf("Input to an app that has ended: %v", err)
	}
}

func TestAProgramThatDoesNotReadHoldsUpNobody(t *testing.T) {
	a := live(t)
	w := a.sh("exec tail -f /dev/null")
	w.MinUptime = unitOf(10 * time.Millisecond)
	a.want(w)
	for range 2 {
		begun := time.Now()
		if err := a.Input(0, bytes.Repeat([]byte("x"), 1<<20)); !errors.Is(err, ErrDeaf) {
			t.Errorf("Input = %v", err)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	}
}

func TestInputToAProgramThatHasClosedItsInput(t *testing.T) {
	a := live(t)
	w := a.sh("exec 0<&-\ntouch closed\nexec tail -f /dev/null")
	w.MinUptime = unitOf(10 * time.Millisecond)
	a.want(w)
	eventually(t, "it is closed", func() bool { return exists(filepath.Join(a.dir, "closed")) })
	if err := a.Input(0, []byte("x")); !errors.Is(err, ErrNoInput) {
		t.Errorf("Input = %v", err)
	}
}
