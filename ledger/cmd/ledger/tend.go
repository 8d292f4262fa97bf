package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cookiecharter/consent/ledger"
)

// file reads the one argument of a command that is about a file.
func (c *call) file() (string, error) {
	err := c.parse(1)
	return c.flags.Arg(0), err
}

func backup(ctx context.Context, c *call) error {
	file, err := c.file()
	if err != nil {
		return err
	}
	if err := c.open(ctx); err != nil {
		return err
	}
	report, err := c.ledger.Backup(ctx, file, c.progress)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%d records and %d notices are in %s\n", report.Records, report.Notices, file)
	c.tellFaults(c.out, report)
	if !report.OK() {
		return fmt.Errorf("%w, and so is the backup", errNotVerified)
	}
	return nil
}

func importing(ctx context.Context, c *call) error {
	withFaults := c.flags.Bool("with-faults", false, "import records that are not as they were written as well")
	file, err := c.file()
	if err != nil {
		return err
	}
	if c.db == "" {
		return errNoDatabase
	}
	config, err := c.config()
	if err != nil {
		return err
	}
	accept := func(report ledger.Report) bool {
		c.tellFaults(c.out, report)
		return *withFaults
	}
	report, err := ledger.Import(ctx, file, c.db, config, accept, c.progress)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%d records and %d notices were imported\n", report.Records, report.Notices)
	if !report.OK() {
		return errNotVerified
	}
	return nil
}

func purge(ctx context.Context, c *call) error {
	var before day
	var olderThan age
	lifetime := age{days: 180}
	c.flags.Var(&before, "before", "`day` from which on records are kept")
	c.flags.Var(&olderThan, "older-than", "`age` from which on records are deleted: 13mo, 400d or 2y before today")
	c.flags.Var(&lifetime, "lifetime", "`age` until which a decision stands, as the site has it")
	dryRun := c.flags.Bool("dry-run", false, "say what would be deleted, and delete nothing")
	standing := c.flags.Bool("standing-too", false, "delete the proof of consents that still stand as well")
	if err := c.parse(0); err != nil {
		return err
	}
	now := time.Now().UTC()
	switch {
	case before.IsZero() == olderThan.isZero():
		return fmt.Errorf("say either -before or -older-than: %w", errUsage)
	case before.After(now):
		return fmt.Errorf("%v is yet to come; this would delete every record", &before)
	case before.IsZero():
		before.Time = olderThan.before(now)
		fmt.Fprintf(c.out, "records of decisions before %v\n", &before)
	}
	open := c.openToWrite
	if *dryRun {
		open = c.open
	}
	if err := open(ctx); err != nil {
		return err
	}
	plan, err := c.ledger.PlanPurge(ctx, before.Time, now.Sub(lifetime.before(now)))
	switch {
	case err != nil:
		return err
	case *dryRun:
		fmt.Fprintf(c.out, "%d records would be deleted, and with them the proof of %d consents that still stand\n", plan.Records, plan.Standing)
		return nil
	case plan.Standing > 0 && !*standing:
		return fmt.Errorf("this would take the proof of %d consents that still stand, and nothing was deleted: -standing-too deletes it as well", plan.Standing)
	}
	purged, err := c.ledger.Purge(ctx, before.Time, c.progress)
	fmt.Fprintf(c.out, "%d records were deleted\n", purged)
	return err
}

func forget(ctx context.Context, c *call) error {
	reference, err := c.reference()
	if err != nil {
		return err
	}
	if err := c.openToWrite(ctx); err != nil {
		return err
	}
	forgotten, err := c.ledger.Forget(ctx, reference)
	if err == nil {
		fmt.Fprintf(c.out, "%d records were erased\n", forgotten)
	}
	return err
}
