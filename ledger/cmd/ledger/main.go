// Command ledger reads, checks and tends a site's ledger of consent.
//
//	ledger -db consent.db history 6f1c0b5e9a7d4c2f8e3b1a0d9c8b7a65 > page.html
//	ledger -db postgres://localhost/site verify
//
// The database may stand in the environment as CONSENT_DB, which keeps a password
// out of the list of processes, and the name of the file of keys as CONSENT_KEYS. Only
// purge, forget and import write. It exits with 1 where something failed, or was found
// altered or missing, and with 2 for a command that it does not know.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
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
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		os.Exit(1)
	}
}

// A command is what ledger does with a database.
type command struct {
	name, arguments, does string
	run                   func(context.Context, *call) error
}

var commands = []command{
	{"history", "[-json] REFERENCE", "what one visitor decided and was shown, as a page", history},
	{"receipt", "-controller FILE REFERENCE", "the same for the visitor, as a consent receipt (ISO/IEC TS 27560, JSON-LD)", receipt},
	{"export", "[-format csv|jsonl|27560] [-controller FILE] [-from DAY] [-until DAY]", "all records", export},
	{"verify", "[-anchor FILE|VALUE] [-export FILE]", "that no record was altered or removed", verify},
	{"anchor", "", "what is there now, in a few lines to keep elsewhere, for verify -anchor", anchor},
	{"backup", "FILE", "all that is in the ledger, at one moment, as a file of SQLite", backup},
	{"import", "[-with-faults] FILE", "puts a backup, or an export as jsonl, into an empty database, and makes its tables", importing},
	{"purge", "-before DAY | -older-than AGE [-lifetime AGE] [-standing-too] [-dry-run]", "deletes the records of old decisions", purge},
	{"forget", "REFERENCE", "erases one visitor's records", forget},
	{"stats", "[-by WORD,…] [-tz ZONE] [-format text|csv|json] [-from DAY] [-until DAY] [-chart FILE.svg]", "decisions by time, category, provider, language, action and regime", stats},
}

// A call is one use of a command.
type call struct {
	db       string
	keys     string         // the name of a file
	ledger   *ledger.Ledger // nil until open
	flags    *flag.FlagSet  // of the command
	command  command
	args     []string
	out      io.Writer
	progress func(int64) // on long work
	say      io.Writer   // what is not the answer itself
}

var (
	errUsage      = errors.New("see ledger -h")
	errNoDatabase = fmt.Errorf("which database? Say -db or set CONSENT_DB: %w", errUsage)
)

// run does what the arguments say, writing the answer to out and everything else to
// say.
func run(ctx context.Context, args []string, out, say io.Writer) error {
	c := &call{db: os.Getenv("CONSENT_DB"), keys: os.Getenv("CONSENT_KEYS"), out: out, say: say}
	flags := c.newFlags("ledger")
	flags.Usage = func() {
		fmt.Fprintln(say, "usage: ledger -db URL COMMAND")
		for _, c := range commands {
			fmt.Fprintf(say, "  %s %s\n    \t%s\n", c.name, c.arguments, c.does)
		}
		fmt.Fprintln(say, "A DAY is written 2026-03-31, in UTC or the -tz; a period ends before its -until. An AGE is written 13mo, 400d or 2y.")
		flags.SetOutput(say)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return usage(err)
	}
	for _, command := range commands {
		if command.name != flags.Arg(0) {
			continue
		}
		c.command, c.args, c.flags = command, flags.Args()[1:], c.newFlags(command.name)
		progress, done := progressTo(say)
		c.progress = progress
		err := command.run(ctx, c)
		done()
		if c.ledger != nil {
			err = errors.Join(err, c.ledger.Close(context.WithoutCancel(ctx)))
		}
		return err
	}
	if flags.Arg(0) == "" {
		flags.Usage()
		return fmt.Errorf("which command? %w", errUsage)
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

// newFlags returns a set of flags that holds -db and -keys, which may stand before the
// command and behind it. What is wrong is said once, by the error.
func (c *call) newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("db", "the database: a path, or a sqlite: or postgres:// `URL`; CONSENT_DB where it is not given", func(db string) error {
		c.db = db
		return nil
	})
	flags.Func("keys", "`file` with the keys that seal the records, one per line: the first seals, all verify; CONSENT_KEYS where it is not given", func(keys string) error {
		c.keys = keys
		return nil
	})
	flags.Usage = func() {
		fmt.Fprintf(c.say, "usage: ledger -db URL %s %s\n", c.command.name, c.command.arguments)
		flags.SetOutput(c.say)
		flags.PrintDefaults()
	}
	return flags
}

// parse reads the command's own flags, and fails unless there are that many
// arguments left.
func (c *call) parse(arguments int) error {
	if err := c.flags.Parse(c.args); err != nil {
		return usage(err)
	}
	if c.flags.NArg() != arguments {
		return fmt.Errorf("%s is written: ledger -db URL %[1]s %s: %w", c.command.name, c.command.arguments, errUsage)
	}
	return nil
}

// open opens the ledger to be read. It has to be there.
func (c *call) open(ctx context.Context) error { return c.openWith(ctx, ledger.OpenReadOnly) }

// openToWrite opens the ledger to be written to. It has to be there.
func (c *call) openToWrite(ctx context.Context) error { return c.openWith(ctx, ledger.OpenExisting) }

func (c *call) openWith(ctx context.Context, open func(context.Context, string, ledger.Config) (*ledger.Ledger, error)) error {
	if c.db == "" {
		return errNoDatabase
	}
	config, err := c.config()
	if err == nil {
		c.ledger, err = open(ctx, c.db, config)
	}
	return err
}

// config reads the keys.
func (c *call) config() (config ledger.Config, err error) {
	if c.keys == "" {
		return config, nil
	}
	content, err := os.ReadFile(c.keys)
	if err != nil {
		return config, fmt.Errorf("-keys: %w", err)
	}
	for i, line := range bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n")) {
		key := bytes.TrimSpace(line)
		if len(key) < minKey {
			err = errors.Join(err, fmt.Errorf("-keys: %s, line %d: has %d bytes; a key has at least %d", c.keys, i+1, len(key), minKey))
		}
		config.Keys = append(config.Keys, key)
	}
	return config, err
}

// minKey is how many bytes a key has at least.
const minKey = 32

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
