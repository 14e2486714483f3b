package apps

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestARealFullDiskIsSurvived(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web-out.log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	var log said
	b := testBook(dir, "web", 0, 0, slog.New(slog.NewTextHandler(&log, nil)))
	b.pause = time.Millisecond
	w := b.writer(0, "out")
	fmt.Fprintln(w, "first")
	eventually(t, "the failure is said", func() bool { return log.count("no space left on device") == 1 })
	if why := b.problem.Load(); why == nil || !strings.Contains(*why, "web-out.log: write") {
		t.Errorf("the status says %v", why)
	}
	fmt.Fprintln(w, "second")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it works again", func() bool { return log.count("written again") == 1 })
	if why := b.problem.Load(); why != nil {
		t.Errorf("the status still says %q", *why)
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if got := linesOf(t, path); strings.Join(got, "|") != "0 first|0 second" {
		t.Errorf("%q", got)
	}
}

func TestAPipeThatNobodyReadsHoldsNothingUp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	b := bookOf(dir, Config{Name: "web", OutFile: path, LogType: "raw", MaxLogSize: minLogSize}, nil)
	b.pause = time.Millisecond
	w := b.writer(0, "out")
	fmt.Fprintln(w, "first")
	for range 2000 { // 200 kB, more than a pipe holds
		fmt.Fprintln(w, strings.Repeat("x", 100))
	}
	eventually(t, "it is said", func() bool { why := b.problem.Load(); return why != nil && strings.Contains(*why, "no such device") })
	if lines := back(t, b); len(lines) == 0 || lines[0].Text != strings.Repeat("x", 100) || lines[0].Stream != "out" {
		t.Errorf("what waits: %+v", lines)
	}
	if err := b.reopen(); err != nil {
		t.Error(err)
	}
	text := make(chan int)
	go func() {
		r, _ := os.Open(path) // waits for a writer
		defer r.Close()
		n := 0
		for lines := bufio.NewScanner(r); lines.Scan() && lines.Text() != "last"; n++ {
		}
		text <- n
	}()
	eventually(t, "it is read and well again", func() bool { return b.problem.Load() == nil })
	fmt.Fprintln(w, "last")
	if n := within(t, "the last line", text); n != 2001 {
		t.Errorf("%d lines", n)
	}
	if err := b.flush(); err != nil {
		t.Error(err)
	}
	if err := b.close(); err != nil {
		t.Error(err)
	}
}
