package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// A query by a visitor's reference finds what the index of references shows. Somebody may have
// put another index in its place, or have kept it from growing with the table.

// checkIndices compares the indices of all tables with their rows.
func (v *tableVerification) checkIndices(ctx context.Context) error {
	for _, t := range allTables {
		if err := v.db.checkIndices(ctx, v.tx, t.name, v.report.fault); err != nil {
			return err
		}
	}
	return nil
}

// checkIndicesOfSQLite has SQLite compare them.
func checkIndicesOfSQLite(ctx context.Context, tx querier, table string, fault func(string, ...any)) error {
	rows, err := tx.QueryContext(ctx, "SELECT integrity_check FROM pragma_integrity_check WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND lower(name) = '"+table+"') AND arg = '"+table+"'")
	return each(rows, err, func(rows *sql.Rows) error {
		var found string
		err := rows.Scan(&found)
		if found != "ok" {
			fault("the file does not hold %s as it should: %s", table, found)
		}
		return err
	})
}

// An indexOfTable is what PostgreSQL has of one.
type indexOfTable struct {
	name    string
	columns string // with commas
	where   string // the condition of an index of some rows; "true" if it is of all
}

// checkIndicesOfPostgreSQL counts the rows of a table with each index and without.
func checkIndicesOfPostgreSQL(ctx context.Context, tx querier, table string, fault func(string, ...any)) error {
	indices, err := indicesOf(ctx, tx, table)
	for _, of := range indices {
		var with, without int64
		// To read in the order of the index without a sort is to read the index.
		if err == nil {
			with, err = countWith(ctx, tx, true, "SELECT count(*) FROM (SELECT 1 FROM "+table+" WHERE "+of.where+" ORDER BY "+of.columns+" OFFSET 0) AS found")
		}
		if err == nil {
			without, err = countWith(ctx, tx, false, "SELECT count(*) FROM "+table+" WHERE "+of.where)
		}
		if err != nil {
			return err
		}
		if with != without {
			fault("the index %s shows %d rows of %s, which has %d", of.name, with, table, without)
		}
	}
	return err
}

// indicesOf returns the indices of a table; none of what is no PostgreSQL, and plans in another
// way.
func indicesOf(ctx context.Context, tx querier, table string) (found []indexOfTable, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT CAST(CAST(indexrelid AS regclass) AS text), coalesce(pg_get_expr(indpred, indrelid), 'true'),
			(SELECT string_agg(pg_get_indexdef(indexrelid, CAST(at AS int), true), ', ' ORDER BY at) FROM generate_series(1, indnkeyatts) AS counted (at))
		FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
		WHERE amname = 'btree' AND indisvalid AND indrelid = CAST('`+table+`' AS regclass) AND version() LIKE 'PostgreSQL%' AND version() NOT LIKE '%-YB-%' ORDER BY 1`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var of indexOfTable
		err := rows.Scan(&of.name, &of.where, &of.columns)
		found = append(found, of)
		return err
	})
	return found, err
}

// countWith counts with indices alone, or with none, as far as that can be.
func countWith(ctx context.Context, tx querier, indices bool, query string) (count int64, err error) {
	for setting, on := range map[string]bool{"enable_indexscan": indices, "enable_indexonlyscan": indices, "enable_bitmapscan": false, "enable_seqscan": !indices, "enable_sort": !indices} {
		var is string // SET takes no parameter, and a querier has queries alone
		if err := tx.QueryRowContext(ctx, fmt.Sprintf("SELECT set_config('%s', '%t', true)", setting, on)).Scan(&is); err != nil {
			return 0, err
		}
	}
	err = tx.QueryRowContext(ctx, query).Scan(&count)
	return count, err
}
