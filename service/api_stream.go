package service

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"roost/service/control"
)

// stream is the answer to a change: JSON lines, begun with the first news, so
// that a change that is refused at once has the HTTP status of its error. A
// client that has left or does not read is forgotten; the change goes on.
type stream struct {
	response *echo.Response
	conn     *http.ResponseController

	mu    sync.Mutex // guards all below, and writing
	begun bool
	gone  bool
	beat  *time.Timer
}

func newStream(r *echo.Response) *stream {
	s := &stream{response: r, conn: http.NewResponseController(r)}
	s.beat = time.AfterFunc(control.Beat, s.alive)
	return s
}

// rest ends the signs of life; nothing is written afterwards but by end.
func (s *stream) rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beat.Stop()
	s.beat = nil
}

// alive gives a sign of life, and sees to the next one.
func (s *stream) alive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beat != nil {
		s.send(control.Event{})
		s.beat.Reset(control.Beat)
	}
}

func (s *stream) progress(news string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(control.Event{Progress: news})
}

// end writes the last line. An error that nothing was written before is
// returned, for an answer with a status of its own.
func (s *stream) end(result any, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if !s.begun {
			return err
		}
		s.send(control.Event{Error: failed(err)})
		return nil
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	s.send(control.Event{Result: text})
	return nil
}

// send writes a line; s.mu is held.
func (s *stream) send(e control.Event) {
	if s.gone {
		return
	}
	if !s.begun {
		s.begun = true
		s.response.Header().Set(echo.HeaderContentType, "application/x-ndjson")
		s.response.WriteHeader(http.StatusOK)
	}
	text, err := json.Marshal(e)
	if err == nil {
		s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err = s.response.Write(append(text, '\n')); err == nil {
			err = s.conn.Flush()
		}
		s.conn.SetWriteDeadline(time.Time{}) // it is not of the connection's next answer
	}
	s.gone = err != nil
}
