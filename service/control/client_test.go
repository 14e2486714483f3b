package control

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roost/apps"
)

// answer serves one fixed answer on a socket of its own and returns a client for it.
func answer(t *testing.T, status int, body string) *Client {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl") // t.TempDir may be too long for sun_path
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close(); os.RemoveAll(dir) })
	return Dial(socket)
}

func TestChangesTellTheirProgressAndThenTheirResult(t *testing.T) {
	c := answer(t, 200, `{"progress":"one"}`+"\n{}\n"+`{"progress":"two"}`+"\n"+`{"result":{"apps":["web"],"instances":[{"app":"web","id":3}]}}`+"\n")
	var news []string
	a, err := c.Act(t.Context(), ActRequest{Verb: VerbStop, Targets: []string{"web"}}, func(s string) { news = append(news, s) })
	if err != nil || !slices.Equal(news, []string{"one", "two"}) || !slices.Equal(a.Apps, []string{"web"}) || a.Instances[0].ID != 3 {
		t.Errorf("got %v, %v, %v", a, news, err)
	}
}

func TestErrorsKeepTheirCodeBeforeAndWithinAStream(t *testing.T) {
	for status, body := range map[int]string{
		404: `{"error":{"code":"not_found","message":"no app web","hint":"did you mean wed?"}}`,
		200: `{"progress":"x"}{"error":{"code":"not_found","message":"no app web","hint":"did you mean wed?"}}`,
	} {
		_, err := answer(t, status, body).Act(t.Context(), ActRequest{}, nil)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeNotFound || e.Hint == "" {
			t.Errorf("status %d: got %#v", status, err)
		}
	}
}

func TestAnAnswerThatStopsShortIsAnErrorThatSaysSo(t *testing.T) {
	_, err := answer(t, 200, `{"progress":"x"}`).Act(t.Context(), ActRequest{}, nil)
	if err == nil || !strings.Contains(err.Error(), "may or may not have been made") {
		t.Errorf("got %v", err)
	}
	_, err = answer(t, 502, "what").Ping(t.Context())
	if err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("got %v", err)
	}
}

func TestNobodyThereIsErrNotRunning(t *testing.T) {
	dir := t.TempDir()
	stale, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(stale)
	l, err := net.Listen("unix", filepath.Join(stale, "s"))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	for _, socket := range []string{filepath.Join(dir, "none"), filepath.Join(stale, "s")} {
		if _, err := Dial(socket).Ping(t.Context()); !errors.Is(err, ErrNotRunning) {
			t.Errorf("%s: got %v, want ErrNotRunning", socket, err)
		}
	}
}

func TestLogsEndWithTheReaderOrTheLastLine(t *testing.T) {
	body := `{"line":{"app":"web","text":"a"}}{}{"line":{"app":"web","text":"b"}}{"done":true}`
	var got []string
	err := answer(t, 200, body).Logs(t.Context(), LogsRequest{}, func(l apps.Line) error { got = append(got, l.Text); return nil })
	if err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %v, %v", got, err)
	}
	enough := errors.New("enough")
	if err := answer(t, 200, body).Logs(t.Context(), LogsRequest{}, func(apps.Line) error { return enough }); err != enough {
		t.Errorf("got %v, want the reader's error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := answer(t, 200, body).Logs(ctx, LogsRequest{}, nil); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
