package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// What is hashed is what a program reads of a row. A query may find another thing in it: to
// SQLite the text "0a" is not the bytes 0a, and to both databases "" is not NULL. So a row could
// be as it was written, and be left out of an answer. These checks are about the tables
// themselves.

// checkStored looks for tables and rows that a query does not see as they are read.
func (v *tableVerification) checkStored(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, strings.ReplaceAll(v.db.notPlain, "?", tableNames()))
	err = each(rows, err, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		v.report.fault("%s is no table of which everybody sees every row", name)
		return err
	})
	if err == nil {
		rows, err = v.tx.QueryContext(ctx, strings.ReplaceAll(v.db.meddlers, "?", tableNames()))
		err = each(rows, err, func(rows *sql.Rows) error {
			var name, on string
			err := rows.Scan(&name, &on)
			v.report.Triggers = append(v.report.Triggers, fmt.Sprintf("%s on %s", name, on))
			return err
		})
	}
	for _, t := range allTables {
		if err == nil {
			err = v.checkRows(ctx, t)
		}
	}
	return err
}

// tableNames are the names of all tables, quoted and with commas.
func tableNames() string {
	names := make([]string, len(allTables))
	for i, t := range allTables {
		names[i] = "'" + t.name + "'"
	}
	return strings.Join(names, ", ")
}

// checkRows looks for rows of a table that hold what no ledger writes.
func (v *tableVerification) checkRows(ctx context.Context, t *table) error {
	var odd strings.Builder
	for _, c := range t.columns {
		fmt.Fprintf(&odd, " WHEN %s THEN '%s'", v.db.isOdd(c), c.name)
	}
	rows, err := v.tx.QueryContext(ctx, fmt.Sprintf(`SELECT * FROM (SELECT %s, CASE%s END AS odd FROM %s) AS found WHERE odd IS NOT NULL`, t.columns[0].name, odd.String(), t.name))
	return each(rows, err, func(rows *sql.Rows) error {
		var id any
		var column string
		err := rows.Scan(&id, &column)
		if id = t.columns[0].kind.read(id); t != recordTable && t != writerTable {
			v.report.fault("a row of %s has a %s that is not stored as the ledger stores it", t.name, column)
		} else {
			v.report.fault("the row %v of %s has a %s that is not stored as the ledger stores it", id, t.name, column)
		}
		return err
	})
}

// isNeverZero reports that a number is NULL where there is none.
func (c column) isNeverZero() bool { return c.name == "forgotten" || c.name == "written" }

// isOddInSQLite returns the condition that a column holds another type, or something empty
// that should be NULL. SQLite takes any value in any column.
func isOddInSQLite(c column) string {
	is, empty := map[columnKind]string{ofKey: "blob", ofBytes: "blob", ofNumber: "integer", ofText: "text", ofBoolean: "integer"}[c.kind], ""
	switch {
	case c.kind == ofKey:
		empty = " OR length(" + c.name + ") <> 16 OR " + c.name + " = zeroblob(16)"
	case c.kind == ofBytes:
		empty = " OR length(" + c.name + ") = 0"
	case c.isNeverZero():
		empty = " OR " + c.name + " = 0"
	case c.name == "act":
		empty = " OR act = ''"
	}
	return fmt.Sprintf("(%s IS NOT NULL AND (typeof(%[1]s) <> '%s'%s))", c.name, is, empty)
}

// isOddInPostgreSQL does so for columns whose type somebody may have altered.
func isOddInPostgreSQL(c column) string {
	is, empty := map[columnKind]string{ofKey: "uuid", ofBytes: "bytea", ofNumber: "bigint", ofText: "text", ofBoolean: "boolean"}[c.kind], ""
	switch {
	case c.kind == ofKey:
		empty = " OR CAST(" + c.name + " AS text) = '" + key{}.String() + "'"
	case c.kind == ofBytes:
		empty = " OR octet_length(" + c.name + ") = 0"
	case c.isNeverZero():
		empty = " OR CAST(" + c.name + " AS text) = '0'"
	case c.name == "act":
		empty = " OR act = ''"
	}
	return fmt.Sprintf("(%s IS NOT NULL AND (CAST(pg_typeof(%[1]s) AS text) <> '%s'%s))", c.name, is, empty)
}
