package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"roost/apps"
	"roost/host"
	"roost/service/control"
	"roost/service/dump"

	"github.com/spf13/cobra"
)

func newImport(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "take over what another program runs",
		Args:  parent,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var takeOver, asJSON bool
	pm2 := &cobra.Command{
		Use:   "pm2 [DUMP]",
		Short: "move PM2's apps over",
		Long: `Show what of PM2's processes means what here, and what does not: of those that
run, else of ~/.pm2/dump.pm2, else of DUMP. Nothing is changed.

With --take-over PM2 saves its list and ends, and the apps start here. When they
cannot, PM2 gets them back.`,
		Example: "  roost import pm2\n  roost import pm2 --take-over\n  roost import pm2 /home/ann/.pm2/dump.pm2 --take-over",
		Args:    need(0, 1, "a dump of PM2's"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if takeOver && asJSON {
				return usage("--json only shows what would be moved", "leave it out with --take-over")
			}
			m := &mover{console: c}
			if err := m.find(cmd.Context(), args); err != nil {
				return err
			}
			if asJSON {
				return c.json(m.rows())
			}
			if err := m.show(); err != nil || len(m.apps) == 0 {
				return err
			}
			if !takeOver {
				c.say("nothing was changed")
				c.hint("move them over: %s", c.command(strings.Join(append([]string{"import pm2"}, append(args, "--take-over")...), " ")))
				return nil
			}
			return m.takeOver(cmd.Context())
		},
	}
	pm2.Flags().BoolVar(&takeOver, "take-over", false, "end PM2 and start the apps here")
	jsonFlag(pm2, &asJSON)
	cmd.AddCommand(pm2)
	return cmd
}

// mover moves apps from PM2 to here.
type mover struct {
	*console
	apps    []dump.App
	from    string     // where they come from
	program string     // PM2's own pm2, when its daemon runs; else empty
	home    string     // PM2's
	user    *user.User // whose PM2 it is, when root moves another user's; else nil
}

// pm2Time bounds each question to PM2's program.
const pm2Time = time.Minute

// find reads the apps: of the dump in args, of the PM2 that runs, or of its dump.
func (m *mover) find(ctx context.Context, args []string) error {
	home, err := pm2Home()
	if err != nil {
		return err
	}
	m.home, m.user = home, owner(home)
	file := filepath.Join(home, "dump.pm2")
	if len(args) > 0 {
		file = args[0]
	} else if runs(home) {
		if m.program = pm2Program(); m.program == "" {
			return usage("PM2 runs in "+home+", and its pm2 is not in the PATH", "put it there; or let it save its list (pm2 save) and name the file: roost import pm2 %s", file)
		}
		text, err := m.pm2(ctx, "jlist")
		if err != nil {
			return err
		}
		if i := bytes.LastIndex(append([]byte{'\n'}, text...), []byte("\n[")); i > 0 {
			text = text[i:] // behind what else it had to say
		}
		m.from = "PM2 in " + home
		if m.apps, err = dump.ReadList(text); err != nil {
			return fmt.Errorf("cannot read what pm2 jlist prints: %w", err)
		}
		m.belong()
		return nil
	}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(args) == 0:
		return usage("PM2 does not run in "+home+", and there is no "+file, "name its dump: roost import pm2 FILE; another home: PM2_HOME=FOLDER roost import pm2")
	case err != nil:
		return fmt.Errorf("cannot read the dump: %w", err)
	}
	m.from = file
	if m.apps, err = dump.Read(text); err != nil {
		return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("cannot read %s: %v", file, err), Hint: "have PM2 write it again: pm2 save"}
	}
	m.user = owner(file)
	m.belong()
	return nil
}

// belong has apps that ran as a user of the box go on as that user, who does
// not matter as long as one moves one's own.
func (m *mover) belong() {
	for i := range m.apps {
		if m.user != nil && m.apps[i].Config.User == "" {
			m.apps[i].Config.User = m.user.Username
		}
	}
}

func pm2Home() (string, error) {
	if home := os.Getenv("PM2_HOME"); home != "" {
		return filepath.Abs(home)
	}
	folder, err := os.UserHomeDir()
	if name := os.Getenv("SUDO_USER"); name != "" && os.Geteuid() == 0 { // sudo roost: that user's
		var who *user.User
		if who, err = user.Lookup(name); err == nil {
			folder = who.HomeDir
		}
	}
	if err != nil {
		return "", fmt.Errorf("cannot find this user's home folder; set PM2_HOME: %w", err)
	}
	return filepath.Join(folder, ".pm2"), nil
}

// runs reports whether PM2's own daemon answers in a home.
func runs(home string) bool {
	conn, err := net.DialTimeout("unix", filepath.Join(home, "rpc.sock"), time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// pm2Program is the first pm2 of the PATH that is not this program.
func pm2Program() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join(dir, "pm2")); err == nil && !sameFile(path, self) {
			return path
		}
	}
	return ""
}

// pm2 runs PM2's program and returns what it printed.
func (m *mover) pm2(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, pm2Time)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.program, args...)
	if m.user != nil { // or what PM2 starts would be root's
		as(cmd, m.user)
	}
	cmd.Env = append(cmd.Environ(), "PM2_HOME="+m.home)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("cannot run pm2 %s: %w: %s", args[0], err, strings.TrimSpace(words.String()))
	}
	return out.Bytes(), nil
}

// movedApp is an app that can be moved over, as --json prints it.
type movedApp struct {
	Name      string      `json:"name"`
	Instances int         `json:"instances"`
	Stopped   bool        `json:"stopped,omitempty"`
	Config    apps.Config `json:"config"`
	Left      []string    `json:"left,omitempty"`     // members of PM2's that have no meaning here
	Problems  []string    `json:"problems,omitempty"` // why it cannot be started
}

func (m *mover) rows() []movedApp {
	rows := make([]movedApp, len(m.apps))
	for i, a := range m.apps {
		rows[i] = movedApp{Name: a.Config.Name, Instances: a.Count, Stopped: a.Stopped, Config: a.Config, Left: a.Left}
		for _, problem := range host.Validate(host.Config{Apps: []apps.Wanted{{Config: a.Config, Revision: 1}}}) {
			rows[i].Problems = append(rows[i].Problems, problem.String())
		}
	}
	return rows
}

// show prints what becomes of each app; it fails when one cannot be started.
func (m *mover) show() error {
	if len(m.apps) == 0 {
		m.say("%s has no apps", m.from)
		return nil
	}
	m.say("apps of %s:", m.from)
	broken := 0
	for _, r := range m.rows() {
		what := r.Config.Script
		if what == "" {
			what = r.Config.Command
		}
		line := fmt.Sprintf("%s: %s, %s", m.paint(styleBold, shellQuote(r.Name)), what, plural(r.Instances, "instance"))
		if r.Stopped {
			line += ", stopped"
		}
		if m.user != nil {
			line += ", as " + r.Config.User
		}
		m.printf("%s", line)
		if len(r.Left) > 0 {
			m.printf("  not taken over: %s", strings.Join(r.Left, ", "))
		}
		for _, p := range r.Problems {
			m.printf("  %s", m.paint(styleBad, p))
		}
		if len(r.Problems) > 0 {
			broken++
		}
	}
	if broken > 0 {
		return &control.Error{Code: control.CodeInvalid, Message: plural(broken, "app") + " cannot be started here", Hint: "correct that, or delete it in PM2; nothing was changed"}
	}
	return nil
}

// takeOver ends PM2 and starts its apps here.
func (m *mover) takeOver(ctx context.Context) error {
	client, err := m.daemon(ctx)
	if err != nil {
		return err
	}
	there, err := client.Apps(ctx, false)
	if err != nil {
		return err
	}
	var all []control.StartRequest
	for _, a := range m.apps {
		for _, other := range there {
			if other.Name == a.Config.Name {
				return &control.Error{Code: control.CodeConflict, Message: "there is an app " + shellQuote(other.Name) + " here already; nothing was changed", Hint: "delete it: " + m.command("delete "+shellQuote(other.Name))}
			}
		}
		r := control.StartRequest{Config: a.Config, Environ: a.Environ}
		if a.Stopped {
			r.Config.Autostart = new(bool)
		}
		all = append(all, r)
	}
	all[0].Beside = all[1:]
	ctx = context.WithoutCancel(ctx) // with Ctrl-C in between, nobody would run them, or both
	if m.program != "" {
		m.say("PM2 saves its list and ends")
		for _, verb := range []string{"save", "kill"} {
			if _, err := m.pm2(ctx, verb); err != nil {
				return err
			}
		}
	}
	var done control.Acted
	err = m.follow(func(news func(string)) (err error) {
		done, err = client.Start(ctx, all[0], news)
		return err
	})
	if err != nil {
		return m.giveBack(ctx, err)
	}
	if m.program != "" {
		m.say("PM2 would start its apps again at boot, if it is set up to")
		m.hint("end that: pm2 unstartup")
	}
	return m.acted("took over", done, false)
}

// giveBack has PM2 start its apps again, which could not be started here.
func (m *mover) giveBack(ctx context.Context, cause error) error {
	if m.program == "" {
		return cause
	}
	m.say("the apps cannot be started here; PM2 gets them back")
	if _, err := m.pm2(ctx, "resurrect"); err != nil {
		return errors.Join(cause, err)
	}
	return cause
}
