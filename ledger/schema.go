package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

//go:embed schema
var schema embed.FS

// schemaVersion is the number of files in each folder of schema.
const schemaVersion = 1

// migrate brings the tables to schemaVersion. Many instances may do so at once:
// each statement does nothing where another instance was first, and what fails
// since two were at it at the same moment is tried again.
func (d *database) migrate(ctx context.Context) error {
	var failed error
	for attempt := range 20 {
		if attempt > 0 {
			select {
			case <-ctx.Done():
				return errors.Join(ctx.Err(), failed)
			case <-time.After(time.Duration(rand.IntN(50*attempt)) * time.Millisecond):
			}
		}
		version, known := d.version(ctx)
		if known != nil {
			if err := d.PingContext(ctx); err != nil {
				return err
			}
		}
		if version == schemaVersion {
			return nil
		}
		if version > schemaVersion {
			return lasting{fmt.Errorf("its tables are of version %d, and this program knows no version after %d: they are left as they are", version, schemaVersion)}
		}
		failed = d.apply(ctx, version+1)
		if turnedReadOnly(failed) {
			d.leaveReadOnly(ctx)
			return failed
		}
		if state, _ := code(failed); state == "42501" {
			return failed // a role that may not make tables will not learn to
		}
	}
	return failed
}

// checkExists fails if there are no tables, or those of another version.
func (d *database) checkExists(ctx context.Context) error {
	if err := d.PingContext(ctx); err != nil {
		return fmt.Errorf("cannot open %s: %w", d.name, err)
	}
	version, err := d.version(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("there is no ledger in %s: %w", d.name, err)
	case version != schemaVersion:
		return fmt.Errorf("cannot open %s: its tables are of version %d, and this program knows version %d: they are left as they are", d.name, version, schemaVersion)
	}
	return nil
}

// version returns which version the tables have; an error if there are none.
func (d *database) version(ctx context.Context) (version int, err error) {
	err = d.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM consent_schema").Scan(&version)
	return version, err
}

// apply runs the files from the given version on.
func (d *database) apply(ctx context.Context, from int) error {
	for version := from; version <= schemaVersion; version++ {
		statements, err := schema.ReadFile(fmt.Sprintf("schema/%s/%d.sql", d.schema, version))
		if err != nil {
			return err
		}
		if _, err := d.ExecContext(ctx, string(statements)); err != nil {
			return err
		}
	}
	return nil
}
