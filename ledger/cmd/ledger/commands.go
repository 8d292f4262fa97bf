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

// period reads the arguments of a command that is about a period and takes no others. Its
// days are those of the place that zone points to once they have been read.
func (c *call) period(zone *zone) (ledger.Period, error) {
	var from, until day
	c.flags.Var(&from, "from", "first `day`")
	c.flags.Var(&until, "until", "`day` after the last")
	err := c.parse(0)
	if err == nil && !until.IsZero() && !from.Before(until.Time) {
		err = fmt.Errorf("no day is from %v and before %v: %w", &from, &until, errUsage)
	}
	return ledger.Period{From: zone.begin(from), Until: zone.begin(until)}, err
}

// consentRecords is the format of ISO/IEC TS 27560, which needs to know of the controller.
const consentRecords = "27560"

func export(ctx context.Context, c *call) error {
	format := c.flags.String("format", "csv", "csv, jsonl, or 27560: consent records after ISO/IEC TS 27560, as JSON-LD")
	issuer := c.issuer()
	of, err := c.period(utc)
	if err != nil {
		return err
	}
	var write func(io.Writer) error
	if *format == consentRecords {
		answers, err := issuer()
		if err != nil {
			return err
		}
		write = func(w io.Writer) error { return c.ledger.ExportReceipts(ctx, w, answers, of, c.progress) }
	} else {
		write = func(w io.Writer) error {
			return c.ledger.Export(ctx, w, ledger.Format(*format), of, c.progress)
		}
	}
	if err := c.open(ctx); err != nil {
		return err
	}
	out := bufio.NewWriterSize(c.out, 1<<16)
	return errors.Join(write(out), out.Flush()) // of records with faults, all others are there
}

// issuer adds the flag of the controller's file, and returns what reads it.
func (c *call) issuer() func() (ledger.Issuer, error) {
	name := c.flags.String("controller", "", "`file` that says who answers for the records, as JSON; see the README")
	return func() (ledger.Issuer, error) {
		if *name == "" {
			return ledger.Issuer{}, fmt.Errorf("who answers for the records? Say -controller: %w", errUsage)
		}
		file, err := os.Open(*name)
		if err != nil {
			return ledger.Issuer{}, fmt.Errorf("-controller: %w", err)
		}
		defer file.Close()
		issuer, err := ledger.ReadIssuer(file)
		if err != nil {
			err = fmt.Errorf("-controller: %s:\n%w", *name, err)
		}
		return issuer, err
	}
}

// receipt writes what a visitor gets of their own decisions.
func receipt(ctx context.Context, c *call) error {
	issuer := c.issuer()
	reference, err := c.reference()
	if err != nil {
		return err
	}
	answers, err := issuer()
	if err != nil {
		return err
	}
	if err := c.open(ctx); err != nil {
		return err
	}
	receipts, err := c.ledger.Receipts(answers)
	if err != nil {
		return err
	}
	return receipts.WriteReceipt(ctx, c.out, reference)
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
	case report.Vouched > 0:
		fmt.Fprintf(c.out, "%d records have no seal: the first process with a key, which began at %v, vouches for them; if there was a key before, somebody has removed the seals\n", report.Vouched, report.VouchedAt.Format(time.RFC3339))
	case !report.SealsChecked && report.Sealed > 0:
		fmt.Fprintf(c.out, "%d records are sealed, which was not checked: there is no -keys\n", report.Sealed)
	case !report.SealsChecked:
		fmt.Fprintln(c.out, "no record is sealed: who computes every hash anew is not found out, except by an anchor")
	}
	for _, trigger := range report.Triggers {
		fmt.Fprintf(c.out, "there is a trigger or a rule, %s: look whether it changes or takes away what is written\n", trigger)
	}
	c.tellFaults(c.out, report)
	if !report.OK() {
		return errNotVerified
	}
	switch {
	case report.Partial && report.SealsChecked:
		fmt.Fprintln(c.out, "nothing was altered, and nothing is missing of the part that was exported")
	case report.Partial:
		fmt.Fprintln(c.out, "nothing that is here was altered; of an export of a part nobody can tell without -keys if something is missing")
	default:
		fmt.Fprintln(c.out, "nothing was altered, nothing is missing")
	}
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
