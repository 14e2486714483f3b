//go:build unix

package apps

// tree is the living processes that descend from leader, leader itself not
// among them: its process group, their children, and, where that can be seen,
// those that carry mark in their environment although they have left both.
func tree(leader int, mark string) (members []process) {
	table, err := processes()
	if err != nil {
		return nil
	}
	since := table[leader].born
	in := map[int]bool{leader: true}
	for pid, p := range table {
		if groupOf(p) == leader || p.born >= since && carries(pid, mark) {
			in[pid] = true
		}
	}
	for more := true; more; {
		more = false
		for pid, p := range table {
			if in[p.parent] && !in[pid] {
				in[pid], more = true, true
			}
		}
	}
	delete(in, leader)
	for pid := range in {
		if p := details(table[pid]); !ended(pid) {
			members = append(members, p)
		}
	}
	return members
}
