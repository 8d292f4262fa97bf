package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

func history(ctx context.Context, c *call) error {
	asJSON := c.flags.Bool("json", false, "as JSON, for programs")
	reference, err := c.reference()
	if err != nil {
		return err
	}
	if err := c.open(ctx); err != nil {
		return err
	}
	h, err := c.ledger.History(ctx, reference)
	if err != nil {
		return err
	}
	if *asJSON {
		lines := json.NewEncoder(c.out)
		lines.SetIndent("", "  ")
		return lines.Encode(h)
	}
	return h.WritePage(c.out)
}

// reference reads the one argument of a command that is about one visitor.
func (c *call) reference() (consent.Reference, error) {
	if err := c.parse(1); err != nil {
		return consent.Reference{}, err
	}
	reference, err := consent.ParseReference(c.flags.Arg(0))
	if err != nil {
		err = errors.New(strings.TrimPrefix(err.Error(), "consent: "))
	}
	return reference, err
}

// period reads the arguments of a command that is about a period and takes no others.
func (c *call) period() (ledger.Period, error) {
	var from, until day
	c.flags.Var(&from, "from", "first `day`")
	c.flags.Var(&until, "until", "`day` after the last")
	err := c.parse(0)
	if err == nil && !until.IsZero() && !from.Before(until.Time) {
		err = fmt.Errorf("no day is from %v and before %v: %w", &from, &until, errUsage)
	}
	return ledger.Period{From: from.Time, Until: until.Time}, err
}

func export(ctx context.Context, c *call) error {
	format := c.flags.String("format", "csv", "csv or jsonl")
	of, err := c.period()
	if err != nil {
		return err
	}
	if err := c.open(ctx); err != nil {
		return err
	}
	out := bufio.NewWriterSize(c.out, 1<<16)
	if err := c.ledger.Export(ctx, out, ledger.Format(*format), of, c.progress); err != nil {
		return err
	}
	return out.Flush()
}

// errNotVerified is the answer of verify where there is a fault.
var errNotVerified = errors.New("the ledger is not as it was written")

func verify(ctx context.Context, c *call) error {
	var anchors []ledger.Anchor
	c.flags.Func("anchor", "`file` that holds an anchor, or the anchor itself: what was there then has to be there", func(s string) error {
		a, err := readAnchor(s)
		anchors = append(anchors, a)
		return err
	})
	export := c.flags.String("export", "", "`file` that export -format jsonl has written, to verify in place of a database")
	if err := c.parse(0); err != nil {
		return err
	}
	report, err := c.verify(ctx, *export, anchors)
	if err != nil {
		return err
	}
	visitors := ""
	if *export == "" {
		visitors = fmt.Sprintf(" of %d visitors", report.Visitors)
	}
	fmt.Fprintf(c.out, "%d records%s and %d notices; %d forgotten, %d purged\n", report.Records, visitors, report.Notices, report.Forgotten, report.Purged)
	if len(anchors) > 0 {
		fmt.Fprintf(c.out, "since the anchor, %d were forgotten and %d purged\n", report.ForgottenSince, report.PurgedSince)
	}
	if report.SetBack > 0 {
		fmt.Fprintf(c.out, "%d records are older by the clock than the one they follow: a clock was set back\n", report.SetBack)
	}
	if report.Late > 0 {
		fmt.Fprintf(c.out, "%d records were decided before the one they follow: they waited to be written, or the clocks of two computers differ\n", report.Late)
	}
	if report.UnsealedLinks > 0 {
		fmt.Fprintf(c.out, "%d links of users are older than the key, and are not followed until the user signs in again\n", report.UnsealedLinks)
	}
	switch {
	case !report.SealsChecked && report.Sealed > 0:
		fmt.Fprintf(c.out, "%d records are sealed, which was not checked: there is no -keys\n", report.Sealed)
	case !report.SealsChecked:
		fmt.Fprintln(c.out, "no record is sealed: who computes every hash anew is not found out, except by an anchor")
	}
	c.tellFaults(c.out, report)
	if !report.OK() {
		return errNotVerified
	}
	fmt.Fprintln(c.out, "nothing was altered, nothing is missing")
	return nil
}

// verify verifies an export if there is one, otherwise the database.
func (c *call) verify(ctx context.Context, export string, anchors []ledger.Anchor) (ledger.Report, error) {
	if export == "" {
		if err := c.open(ctx); err != nil {
			return ledger.Report{}, err
		}
		return c.ledger.Verify(ctx, c.progress, anchors...)
	}
	config, err := c.config()
	if err != nil {
		return ledger.Report{}, err
	}
	file, err := os.Open(export)
	if err != nil {
		return ledger.Report{}, err
	}
	defer file.Close()
	return ledger.VerifyExport(file, config, c.progress, anchors...)
}

// tellFaults says what is wrong.
func (c *call) tellFaults(out io.Writer, report ledger.Report) {
	for _, fault := range report.Faults {
		fmt.Fprintln(out, "FAULT:", fault)
	}
	if unsaid := report.FaultCount - int64(len(report.Faults)); unsaid > 0 {
		fmt.Fprintf(out, "FAULT: and %d more\n", unsaid)
	}
}

// maxAnchor bounds what is read of a file. An anchor has some hundred bytes for each
// process that runs.
const maxAnchor = 16 << 20

// readAnchor reads an anchor, or a file that holds one.
func readAnchor(s string) (ledger.Anchor, error) {
	if a, err := ledger.ParseAnchor(s); err == nil || strings.ContainsAny(s, " \n") {
		return a, err
	}
	file, err := os.Open(s)
	if err != nil {
		return ledger.Anchor{}, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxAnchor))
	if err != nil {
		return ledger.Anchor{}, err
	}
	return ledger.ParseAnchor(string(content))
}

// anchor prints an anchor, also of a ledger that has faults, which it then tells.
func anchor(ctx context.Context, c *call) error {
	if err := c.parse(0); err != nil {
		return err
	}
	report, err := c.verify(ctx, "", nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, report.Anchor)
	c.tellFaults(c.say, report)
	if !report.OK() {
		return errNotVerified
	}
	return nil
}

func stats(ctx context.Context, c *call) error {
	chart := c.flags.String("chart", "", "`file` to draw the acceptance rate to, .svg")
	of, err := c.period()
	if err != nil {
		return err
	}
	if err := c.open(ctx); err != nil {
		return err
	}
	counted, err := c.ledger.Stats(ctx, of, c.progress)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DAY\tCATEGORY\tDECISIONS\tACCEPTED\tPARTLY\tRATE")
	for _, s := range counted {
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%.1f %%\n", s.Day.Format(time.DateOnly), s.Category, s.Decided, s.Accepted, s.Partly, 100*s.Rate())
	}
	if err := table.Flush(); err != nil || *chart == "" {
		return err
	}
	return draw(counted, *chart)
}
