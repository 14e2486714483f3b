//go:build unix

package apps

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"roost/internal/testport"
)

func TestAFloodOfMessagesDoesNotFillOurMemory(t *testing.T) {
	a := live(t)
	_, stop := a.o.Events.Follow() // a reader that never reads
	defer stop()
	const flood = 1000 // messages of 16 KiB, and each hundredth with a line of 2 MiB
	w := a.node("app.js", fmt.Sprintf(`
		const text = 'x'.repeat(16 << 10), long = 'y'.repeat(2 << 20)
		let n = 0
		const more = () => {
			if (n++ === %d) return process.send('ready')
			process.send(n %% 100 ? { type: n %% 2 ? 'process:msg' : 'axm:monitor', data: { ['m' + n]: text } } : long, more)
		}
		more()
		setInterval(() => {}, 1000)`, flood), 1)
	w.WaitReady = true
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begun := time.Now()
	a.want(w)
	took := time.Since(begun)
	runtime.GC()
	runtime.ReadMemStats(&after)
	sent := float64(flood)*(16<<10)/(1<<20) + flood/100*2
	t.Logf("%.0f MiB in %v: %.0f MiB/s", sent, took.Round(time.Millisecond), sent/took.Seconds())
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("%d bytes more in use", grown)
	}
	if peak := int64(after.HeapSys) - int64(before.HeapSys); peak > 64<<20 {
		t.Errorf("%d bytes more taken at the peak", peak)
	}
}

func TestAProgramMayExitInAnswerToAMessage(t *testing.T) {
	a := live(t)
	w := a.node("app.js", answering+`server.listen(0); process.on('message', (code) => process.exit(code))`, 1)
	w.Serves, w.MinUptime = true, unitOf(time.Millisecond)
	a.want(w)
	pid := a.instance(0).PID
	if err := a.Message(0, json.RawMessage("7")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is replaced", func() bool {
		in := a.instance(0)
		return in.PID != pid && in.State == StateReady && in.Reason == "exited with status 7"
	})
	a.answers("/", "0 1")
}

func TestAProgramThatDisconnectsGoesOn(t *testing.T) {
	a := live(t)
	port := testport.Free(t)
	w := a.node("app.js", answering+fmt.Sprintf("server.listen(%d, () => setTimeout(() => process.disconnect(), 50))", port), 1)
	w.Serves, w.HeartbeatTimeout = true, new(unitOf(300*time.Millisecond))
	a.want(w)
	pid := a.instance(0).PID
	eventually(t, "the channel has ended", func() bool { return a.Message(0, json.RawMessage("1")) != nil })
	for end := time.Now().Add(700 * time.Millisecond); time.Now().Before(end); {
		a.answers("/", "0 1")
		if body, err := getPort(port, "/"); err != nil || body != "0 1" {
			t.Fatalf("own port: %q, %v", body, err)
		}
	}
	if in := a.instance(0); in.PID != pid || in.State != StateReady {
		t.Errorf("instance = %+v", in)
	}
	a.want(next(w))
	a.answers("/", "0 2")
}
