// Command ledger reads, checks and tends a site's ledger of consent.
//
//	ledger -db consent.db history 6f1c0b5e9a7d4c2f8e3b1a0d9c8b7a65 > page.html
//	ledger -db postgres://localhost/site verify
//
// The database may stand in the environment as CONSENT_DB, which keeps a password
// out of the list of processes. It exits with 1 where something failed, or was found
// altered or missing, and with 2 for a command that it does not know.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/cookiecharter/consent/ledger"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	if !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "ledger:", strings.TrimPrefix(err.Error(), "ledger: "))
	}
	if errors.Is(err, errUsage) || errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	os.Exit(1)
}

// A command is what ledger does with a database.
type command struct {
	name, arguments, does string
	run                   func(context.Context, *call) error
}

var commands = []command{
	{"history", "[-json] REFERENCE", "what one visitor decided and was shown, as a page", history},
	{"export", "[-format csv|jsonl] [-from DAY] [-until DAY]", "all records", export},
	{"verify", "", "that no record was altered or removed", verify},
	{"purge", "-before DAY", "deletes the records of decisions before a day", purge},
	{"forget", "REFERENCE", "erases one visitor's records", forget},
	{"stats", "[-from DAY] [-until DAY] [-chart FILE.svg|FILE.png]", "decisions by day and category, and how they change", stats},
}

// A call is one use of a command.
type call struct {
	ledger   *ledger.Ledger
	flags    *flag.FlagSet // of the command
	args     []string
	out      io.Writer
	progress func(int64) // on long work
	say      io.Writer   // what is not the answer itself
}

var errUsage = errors.New("see ledger -h")

// run does what the arguments say, writing the answer to out and everything else to
// say.
func run(ctx context.Context, args []string, out, say io.Writer) error {
	flags := flag.NewFlagSet("ledger", flag.ContinueOnError)
	flags.SetOutput(say)
	db := flags.String("db", "", "the database: a path, or a sqlite: or postgres:// `URL`; CONSENT_DB where it is not given")
	flags.Usage = func() {
		fmt.Fprintln(say, "usage: ledger -db URL COMMAND")
		for _, c := range commands {
			fmt.Fprintf(say, "  %s %s\n    \t%s\n", c.name, c.arguments, c.does)
		}
		fmt.Fprintln(say, "A DAY is written 2026-03-31, in UTC; a period ends before its -until.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return usage(err)
	}
	if *db == "" {
		*db = os.Getenv("CONSENT_DB")
	}
	for _, c := range commands {
		if c.name != flags.Arg(0) {
			continue
		}
		if *db == "" {
			return fmt.Errorf("which database? Say -db or set CONSENT_DB: %w", errUsage)
		}
		if err := exists(*db); err != nil {
			return err
		}
		l, err := ledger.Open(ctx, *db)
		if err != nil {
			return err
		}
		own := flag.NewFlagSet(c.name, flag.ContinueOnError)
		own.SetOutput(say)
		progress, done := progressTo(say)
		err = c.run(ctx, &call{ledger: l, flags: own, args: flags.Args()[1:], out: out, progress: progress, say: say})
		done()
		return errors.Join(err, l.Close(context.WithoutCancel(ctx)))
	}
	if flags.Arg(0) == "" {
		flags.Usage()
		return flag.ErrHelp
	}
	return fmt.Errorf("there is no command %q: %w", flags.Arg(0), errUsage)
}

// usage makes a mistake in the flags one that is answered with 2.
func usage(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fmt.Errorf("%w: %w", err, errUsage)
}

// exists fails for a file that is not there, which Open would make: a ledger that was
// mistyped is not an empty one.
func exists(db string) error {
	if scheme, _, _ := strings.Cut(db, ":"); scheme == "postgres" || scheme == "postgresql" {
		return nil
	}
	path := strings.TrimPrefix(strings.TrimPrefix(db, "sqlite:"), "//")
	if u, err := url.Parse(db); err == nil && u.Scheme != "" && u.Scheme != "sqlite" {
		return nil // Open says what is wrong with it
	}
	_, err := os.Stat(path)
	return err
}

// parse reads the command's own flags, and fails unless there are that many
// arguments left.
func (c *call) parse(arguments int) error {
	if err := c.flags.Parse(c.args); err != nil {
		return usage(err)
	}
	if c.flags.NArg() != arguments {
		return fmt.Errorf("%s takes %d arguments, not %d: %w", c.flags.Name(), arguments, c.flags.NArg(), errUsage)
	}
	return nil
}

// progressTo returns a function that says how far long work is, at most once a
// second, and one that ends the line.
func progressTo(say io.Writer) (progress func(int64), done func()) {
	begun, last := time.Now(), time.Now()
	said := false
	progress = func(records int64) {
		if time.Since(last) < time.Second {
			return
		}
		last = time.Now()
		said = true
		fmt.Fprintf(say, "\r%d records, %.0f a second ", records, float64(records)/time.Since(begun).Seconds())
	}
	return progress, func() {
		if said {
			fmt.Fprintln(say)
		}
	}
}

// A day is a flag that holds the beginning of a day in UTC.
type day struct{ time.Time }

func (d *day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

func (d *day) Set(s string) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, s); err != nil {
		return errors.New("a day is written 2026-03-31")
	}
	return nil
}
