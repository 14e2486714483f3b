package service

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"roost/service/control"
)

func TestASecondLockNamesTheProcessThatHasTheFirst(t *testing.T) {
	dir := t.TempDir()
	first, err := takeLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = takeLock(dir)
	var e *control.Error
	if !errors.As(err, &e) || e.Code != control.CodeConflict || e.Hint == "" || !strings.Contains(e.Message, fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("got %#v", err)
	}
	first.release()
	again, err := takeLock(dir)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	again.release()
}
