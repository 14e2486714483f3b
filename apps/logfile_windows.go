package apps

// openQuickly is for named pipes, which have no place among the files here.
const openQuickly = 0
