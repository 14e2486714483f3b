package service

import (
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
)

func TestAnAnswerThatHasEndedByAFaultGivesNoMoreSignsOfLife(t *testing.T) {
	seen := httptest.NewRecorder()
	s := newStream(echo.NewResponse(seen, echo.New()))
	func() {
		defer func() { recover() }()
		defer s.rest()
		panic("a fault in a handler")
	}()
	s.alive() // of a timer that had fired before
	if seen.Body.Len() > 0 || seen.Flushed {
		t.Errorf("wrote %q", seen.Body)
	}
}
