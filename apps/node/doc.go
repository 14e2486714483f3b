// Package node hosts unmodified Node programs. A preload file (hook.cjs) puts
// each instance's main server on a private Unix socket and its own port on a
// listening socket that all instances share; Channel is the parent's end of
// Node's message channel, over which the two talk.
//
//	daemon                                    instance
//	  Channel ◀── process.send('ready') ────── app
//	          ◀── NODE_ROOST port 3000 ─────── hook   net.Server.listen(3000)
//	          ─── NODE_HANDLE + socket ──────▶ hook   listens on the shared socket
//	          ◀── NODE_ROOST listening ─────── hook   and on the private one
//	          ─── NODE_ROOST ping ───────────▶ hook ── pong, from the event loop
//	          ─── "shutdown" ────────────────▶ app    process.on('message')
//
// The channel is Node's own: a socket pair, JSON values, one a line, open
// sockets beside them (SCM_RIGHTS), as child_process.fork makes it. Messages
// whose cmd begins with NODE_ are Node's internal ones; an app never sees them.
package node
