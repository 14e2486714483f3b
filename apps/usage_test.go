package apps

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// helperVariable makes this binary a helper process of its own tests.
const helperVariable = "APPS_TEST_BUSY"

// busyMemory is global so that the compiler keeps it.
var busyMemory []byte

// TestABusyChildHelper is a process that starts a child that works, or is that child.
func TestABusyChildHelper(t *testing.T) {
	switch os.Getenv(helperVariable) {
	case "parent":
		child := exec.Command(os.Args[0], "-test.run=^TestABusyChildHelper$")
		child.Env = append(os.Environ(), helperVariable+"=child")
		pipe, _ := child.StdinPipe()
		defer pipe.Close()
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		os.Stdin.Read(make([]byte, 1)) // until the test ends
		child.Process.Kill()
		child.Wait()
	case "child", "alone":
		if os.Getenv(helperVariable) == "child" {
			go func() {
				os.Stdin.Read(make([]byte, 1)) // until the parent ends
				os.Exit(0)
			}()
		}
		busyMemory = make([]byte, 50<<20)
		for {
			for i := range busyMemory {
				busyMemory[i]++
			}
		}
	}
}

func TestAnInstancesUsageIsThatOfItsWholeTree(t *testing.T) {
	parent := exec.Command(os.Args[0], "-test.run=^TestABusyChildHelper$")
	parent.Env = append(os.Environ(), helperVariable+"=parent")
	in, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		parent.Wait()
	})
	pid := parent.Process.Pid
	var table usageTable
	measure := func() {
		t.Helper()
		all, err := processes()
		if err != nil {
			t.Fatal(err)
		}
		table.update([]int{pid}, sumTrees(all, func(p int) bool { return p == pid }), time.Now())
	}
	eventually(t, "the child's work and memory show", func() bool {
		measure()
		u := table.of(pid)
		return u.cpu > 2 && u.memory > 50<<20 // per cent: the machine may be busy
	})
	if u := table.of(pid); u.cpu > 100*64 || u.memory > 10<<30 {
		t.Errorf("%+v", u)
	}
	if u := table.of(os.Getpid()); u != (usage{}) {
		t.Errorf("somebody else's: %+v", u)
	}
}

func TestTreesAreSummedUpUnderTheirRoots(t *testing.T) {
	table := map[int]process{}
	add := func(pid, parent, group, session int) {
		table[pid] = process{pid: pid, parent: parent, group: group, session: session, spent: time.Second, resident: 1 << uint(pid/10)}
	}
	add(1, 0, 1, 1)
	add(10, 1, 10, 10)   // a root
	add(20, 10, 10, 10)  // its child
	add(30, 20, 30, 30)  // its grandchild, in a session of its own
	add(40, 1, 10, 10)   // an orphan in its group
	add(50, 1, 99, 10)   // an orphan in its session
	add(60, 50, 60, 60)  // an orphan's child
	add(70, 10, 70, 70)  // a root under the root
	add(80, 70, 70, 70)  // its child
	add(90, 1, 90, 90)   // nobody's
	add(100, 110, 5, 5)  // a loop, which a table read over time may have
	add(110, 100, 5, 5)  //
	add(120, 9999, 5, 5) // its parent has gone
	roots := map[int]bool{10: true, 70: true, 777: true}
	found := sumTrees(table, func(pid int) bool { return roots[pid] })
	if len(found) != 2 {
		t.Fatalf("%v", found)
	}
	if got := found[10]; got.memory != 1<<1|1<<2|1<<3|1<<4|1<<5|1<<6 || got.spent != 6*time.Second || got.root.pid != 10 {
		t.Errorf("%+v", got)
	}
	if got := found[70]; got.memory != 1<<7|1<<8 || got.root.pid != 70 {
		t.Errorf("%+v", got)
	}
}

func TestCPUIsThatBetweenTwoMeasurements(t *testing.T) {
	var u usageTable
	at := time.Unix(1_800_000_000, 0)
	step := func(after, spent time.Duration, born uint64, memory uint64) usage {
		at = at.Add(after)
		u.update([]int{7, 8}, map[int]*treeUsage{7: {usage: usage{memory: memory}, spent: spent, root: process{pid: 7, born: born, age: 10 * time.Second}}}, at)
		return u.of(7)
	}
	for _, c := range []struct {
		after, spent time.Duration
		born, memory uint64
		cpu          float64
	}{
		{0, time.Second, 1, 1, 10},                                      // since it started
		{time.Second, 1500 * time.Millisecond, 1, 2, 50},                // since the last one
		{100 * time.Millisecond, 2000 * time.Millisecond, 1, 3, 50},     // too soon
		{900 * time.Millisecond, 3500 * time.Millisecond, 1, 4, 200},    // since the last that counted
		{time.Second, 3000 * time.Millisecond, 1, 5, 0},                 // a child was lost
		{time.Second, 100 * time.Millisecond, 2, 6, 1},                  // another process with the same pid
		{2 * time.Second, 100*time.Millisecond + time.Second, 2, 7, 50}, //
	} {
		if got := step(c.after, c.spent, c.born, c.memory); got.cpu != c.cpu || got.memory != c.memory {
			t.Errorf("%+v, want %+v", got, c)
		}
	}
	u.update(nil, nil, at)
	if got := u.of(7); got != (usage{}) || len(u.trees) != 0 {
		t.Errorf("%+v is left", got)
	}
}

func TestTheProcessTableKnowsUs(t *testing.T) {
	table, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	me, ok := table[os.Getpid()]
	if me = details(me); !ok || me.parent != os.Getppid() || me.resident < 1<<20 || me.age <= 0 || me.age > time.Hour || me.born == 0 {
		t.Errorf("%+v", me)
	}
}

func BenchmarkProcesses(b *testing.B) {
	n := 0
	for b.Loop() {
		table, err := processes()
		if err != nil {
			b.Fatal(err)
		}
		n = len(table)
	}
	b.ReportMetric(float64(n), "processes")
}
