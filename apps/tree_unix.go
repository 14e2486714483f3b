//go:build unix

package apps

// tree is the living processes that descend from leader, leader itself not
// among them: its process group, their children, and, where that can be seen,
// those that carry mark in their environment although they have left both.
// unsure says that there may be more of these: a process in the middle of
// execve(2) shows no environment.
func tree(leader int, mark string) (members []process, unsure bool) {
	table, err := processes()
	if err != nil {
		return nil, false
	}
	since := table[leader].born
	in := map[int]bool{leader: true}
	for pid, p := range table {
		if groupOf(p) == leader {
			in[pid] = true
		} else if p.born >= since {
			carries, known := carries(p, mark)
			in[pid], unsure = carries, unsure || !known
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
	for pid, is := range in {
		if is && !ended(pid) {
			members = append(members, details(table[pid]))
		}
	}
	return members, unsure
}
