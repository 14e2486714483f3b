// Package apps keeps programs running and spreads requests over their ready
// instances. App is the whole of one program's life: Want says what it should
// be, Run makes it so, Settle waits for it, Status reports.
package apps
