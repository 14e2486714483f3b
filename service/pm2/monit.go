package pm2

import (
	"errors"
	"io"
	"os"
	"strings"

	"roost/service/control"
	"roost/service/monit"

	"golang.org/x/term"
)

func (s *session) monit() error {
	in, ok := s.in.(*os.File)
	if s.width == 0 || !ok || !term.IsTerminal(int(in.Fd())) {
		return errors.New("monit needs a terminal; in scripts: pm2 jlist")
	}
	return monit.Run(s.ctx, monit.Options{Client: s.client, Describe: s.describeText, In: in, Out: s.out})
}

// describeText is what describe prints, without colours.
func (s *session) describeText(a control.App) string {
	var text strings.Builder
	plain := *s
	plain.console = &console{out: &text, err: io.Discard}
	rows := rowsOf([]control.App{a})
	for i := range rows {
		plain.describeRow(&rows[i])
	}
	return text.String()
}
