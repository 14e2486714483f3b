package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"roost/host"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newHashPassword(c *console) *cobra.Command {
	var r hashFlags
	cmd := &cobra.Command{
		Use:   "hash-password",
		Short: "print what basic_auth wants of a password",
		Long: `Print the bcrypt hash of a password, which stands after a user's name in
basic_auth. The password is asked for at a terminal, without showing it, and
is one line of standard input elsewhere; or a new one is made.`,
		Example: `  roost hash-password
  roost hash-password --generate
  pass show web/ann | roost hash-password`,
		Args: need(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.hashPassword(cmd.Context(), r) },
	}
	f := cmd.Flags()
	f.IntVar(&r.cost, "cost", 10, "4 to 14: one more takes twice as long, to check as well")
	f.BoolVar(&r.generate, "generate", false, "make a password")
	jsonFlag(cmd, &r.asJSON)
	return cmd
}

type hashFlags struct {
	cost             int
	generate, asJSON bool
}

func (c *console) hashPassword(ctx context.Context, r hashFlags) error {
	if r.cost < host.MinPasswordCost || r.cost > host.MaxPasswordCost {
		return usage(fmt.Sprintf("--cost %d", r.cost), "want %d to %d; 10 is usual", host.MinPasswordCost, host.MaxPasswordCost)
	}
	password := rand.Text()
	if !r.generate {
		var err error
		if password, err = c.askPassword(ctx); err != nil {
			return err
		}
	}
	hash, err := host.HashPassword(password, r.cost)
	switch {
	case errors.Is(err, host.ErrPasswordLong):
		return usage(err.Error()+", which is all that bcrypt looks at", "shorten it, or have one made: roost hash-password --generate")
	case err != nil:
		return fmt.Errorf("cannot hash the password: %w", err)
	}
	if !r.generate {
		password = ""
	}
	switch {
	case r.asJSON:
		return c.json(struct {
			Password string `json:"password,omitempty"` // only one that was made
			Hash     string `json:"hash"`
		}{password, hash})
	case r.generate:
		c.printf("password  %s", password)
		c.printf("hash      %s", hash)
	default:
		c.printf("%s", hash)
	}
	return nil
}

// askPassword reads a password: at a terminal twice, without an echo.
func (c *console) askPassword(ctx context.Context) (string, error) {
	const hint = "type one, or have one made: roost hash-password --generate"
	if !terminal(os.Stdin) {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, 4<<10))
		text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
		switch {
		case err != nil:
			return "", fmt.Errorf("cannot read the password: %w", err)
		case len(text) == 0:
			return "", usage("there is no password on standard input", "%s", hint)
		case bytes.ContainsAny(text, "\r\n\x00"):
			return "", usage("standard input has more than one line", "a password is one line")
		}
		return string(text), nil
	}
	first, err := c.readUnseen(ctx, "password: ")
	if err != nil {
		return "", err
	}
	if first == "" {
		return "", usage("there is no password", "%s", hint)
	}
	again, err := c.readUnseen(ctx, "once more: ")
	if err == nil && first != again {
		return "", usage("the two are not the same", "give the command again")
	}
	return first, err
}

// readUnseen reads a line of the terminal. Who interrupts it gets the echo back.
func (c *console) readUnseen(ctx context.Context, prompt string) (string, error) {
	in := int(os.Stdin.Fd())
	state, err := term.GetState(in)
	if err != nil {
		return "", fmt.Errorf("cannot use the terminal: %w", err)
	}
	fmt.Fprint(c.err, prompt)
	defer fmt.Fprintln(c.err)
	type line struct {
		text []byte
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := term.ReadPassword(in)
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		if l.err != nil {
			return "", fmt.Errorf("cannot read the password: %w", l.err)
		}
		return string(l.text), nil
	case <-ctx.Done(): // the program ends: nobody waits for the reader
		term.Restore(in, state)
		return "", context.Cause(ctx)
	}
}
