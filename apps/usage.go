package apps

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// usage is what an instance's whole process tree uses.
type usage struct {
	cpu    float64 // per cent of one core, between the last two measurements
	memory uint64  // bytes resident, shared pages counted for each process
}

// usageTable holds the usage of an app's instances by the pid at the root of
// each tree. App owns one; the zero value works.
type usageTable struct {
	mu    sync.Mutex
	trees map[int]*treeUsage
}

type treeUsage struct {
	usage
	root  process
	spent time.Duration // CPU time of the whole tree, ended children included
	at    time.Time
}

// of returns the usage of the tree under pid; zero when not measured yet.
func (t *usageTable) of(pid int) usage {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tree := t.trees[pid]; tree != nil {
		return tree.usage
	}
	return usage{}
}

// process is a row of the process table.
type process struct {
	pid, parent    int
	group, session int           // 0 where the system has none
	born           uint64        // tells two processes with the same pid apart
	age            time.Duration // 0 when not known
	spent          time.Duration // CPU time, of children that ended and were waited for too
	resident       uint64        // bytes
}

// minInterval is the least time between measurements that gives a CPU figure
// worth having: the kernel counts in hundredths of a second.
const minInterval = 250 * time.Millisecond

// sumTrees sums up the processes under each root. A process belongs to the tree
// of its nearest ancestor that is a root; one that was orphaned, to the root
// that leads its process group or session.
func sumTrees(table map[int]process, isRoot func(pid int) bool) map[int]*treeUsage {
	owner := map[int]int{} // 0: nobody's
	var own func(pid, depth int) int
	own = func(pid, depth int) int {
		if isRoot(pid) {
			return pid
		}
		if root, ok := owner[pid]; ok {
			return root
		}
		p, ok := table[pid]
		if !ok || depth > len(table) {
			return 0
		}
		root := own(p.parent, depth+1)
		switch {
		case root != 0:
		case isRoot(p.group):
			root = p.group
		case isRoot(p.session):
			root = p.session
		}
		owner[pid] = root
		return root
	}
	found := map[int]*treeUsage{}
	for pid, p := range table {
		root := own(pid, 0)
		if root == 0 {
			continue
		}
		t := found[root]
		if t == nil {
			t = &treeUsage{root: table[root]}
			found[root] = t
		}
		p = details(p)
		t.spent += p.spent
		t.memory += p.resident
		if pid == root {
			t.root = p
		}
	}
	return found
}

// update takes in what was found at now for the instances with these pids.
func (t *usageTable) update(pids []int, found map[int]*treeUsage, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trees == nil {
		t.trees = map[int]*treeUsage{}
	}
	maps.DeleteFunc(t.trees, func(pid int, _ *treeUsage) bool { return !slices.Contains(pids, pid) })
	for _, pid := range pids {
		next, old := found[pid], t.trees[pid]
		if next == nil {
			delete(t.trees, pid)
			continue
		}
		next.at = now
		switch {
		case old == nil || old.root.born != next.root.born:
			if next.root.age > minInterval { // since it started
				next.cpu = percent(next.spent, next.root.age)
			}
		case now.Sub(old.at) < minInterval:
			next.cpu, next.spent, next.at = old.cpu, old.spent, old.at
		default:
			next.cpu = percent(next.spent-old.spent, now.Sub(old.at))
		}
		t.trees[pid] = next
	}
}

// percent is spent in per cent of d. A tree can lose time that it had: that of
// a child that nobody waited for.
func percent(spent, d time.Duration) float64 {
	return max(0, 100*float64(spent)/float64(d))
}
