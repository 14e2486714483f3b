// Package pm2 is the program under PM2's name: the binary invoked as pm2 takes
// PM2's commands and flags, answers with its words, tables and exit codes, and
// keeps its files in PM2_HOME, so that people and scripts that drive PM2 go on
// as before. What stands behind is the daemon of package service; a command is
// flags, calls of package control, and PM2's way to say what came of them.
//
// The behaviour follows PM2 7.0.4 as it shows itself when it is run. Where that
// loses requests or data it is not followed; docs/pm2.md lists each difference.
package pm2
