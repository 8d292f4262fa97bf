package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
)

// A dialect is what the two kinds of database do differently.
type dialect struct {
	product      string // its name, for errors
	schema       string // the folder of its tables
	embedded     bool   // it is a file, or in memory
	versionQuery string // a query that no other kind answers
	parameter    string // what stands before the number of a parameter
	uuid         func(key) driver.Value
	checkDurable func(context.Context, *sql.DB) error // fails if a power cut may take back a commit

	// snapshot are the options of a transaction that sees the database as it is at one
	// moment.
	snapshot *sql.TxOptions

	// oneStatement says that one statement inserts several rows. Each statement to a
	// server costs a round trip. The embedded database has none, and needs longer to
	// read a long statement than to run a short one several times.
	oneStatement bool

	// gone returns a query that finds a row if one of these records, of which some may be
	// NULL, stands no more. It takes the placeholders of their IDs. Until the commit nobody
	// erases the ones that stand.
	gone func(ids []string) string

	// lockOut keeps others from beginning to write until the transaction ends; "" if who fills
	// a database has it alone.
	lockOut string

	// overwriteLog removes what was erased from the log; "" if no statement can.
	overwriteLog string

	// notPlain finds those of some tables, whose names stand for its "?", that are views, or
	// show some of their rows to some users alone. meddlers finds what changes rows of theirs
	// by itself: a trigger or a rule, and on which table.
	notPlain, meddlers string

	// isOdd returns a condition: a column holds what no ledger writes to it, see stored.go.
	isOdd func(column) string

	// checkIndices calls fault for each index of a table that does not show what the table
	// holds, see indices.go.
	checkIndices func(ctx context.Context, tx querier, table string, fault func(string, ...any)) error
}

var sqliteDialect = &dialect{
	product:      "SQLite",
	schema:       "sqlite",
	embedded:     true,
	versionQuery: "SELECT sqlite_version()",
	parameter:    "?",
	uuid:         func(k key) driver.Value { return k[:] },
	checkDurable: func(ctx context.Context, db *sql.DB) error {
		var level int
		err := db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&level)
		if err == nil && level < 2 {
			err = lasting{errors.New(`a commit may be lost with the power; it needs "PRAGMA synchronous = FULL"`)}
		}
		var mode, file string
		if err == nil {
			err = db.QueryRowContext(ctx, "SELECT journal_mode, coalesce(file, '') FROM pragma_journal_mode, pragma_database_list WHERE name = 'main'").Scan(&mode, &file)
		}
		if err == nil && file != "" && (mode == "off" || mode == "memory") {
			err = lasting{fmt.Errorf(`a process that is killed may leave a file that is damaged; it needs another "PRAGMA journal_mode" than %s`, mode)}
		}
		return err
	},
	snapshot: nil, // its only isolation level is enough; the moment is that of the first statement
	gone: func(ids []string) string {
		return "SELECT 1 FROM (VALUES (" + strings.Join(ids, "),(") + `)) AS previous
			WHERE column1 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM consent_record WHERE id = column1 AND reference IS NOT NULL)`
	},
	// While somebody reads, it does nothing. The log then starts again, and overwrites
	// the content, within its next thousand pages.
	overwriteLog: "PRAGMA wal_checkpoint(TRUNCATE)",
	notPlain:     "SELECT name FROM sqlite_master WHERE (type = 'view' OR type = 'table' AND sql LIKE 'CREATE VIRTUAL%') AND lower(name) IN (?)",
	meddlers:     "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) IN (?)",
	isOdd:        isOddInSQLite,
	checkIndices: checkIndicesOfSQLite,
}

var postgresDialect = &dialect{
	product:      "PostgreSQL",
	schema:       "postgres",
	versionQuery: "SHOW server_version",
	parameter:    "$",
	uuid:         func(k key) driver.Value { return k.String() },
	checkDurable: func(ctx context.Context, db *sql.DB) error {
		var level sql.NullString
		err := db.QueryRowContext(ctx, "SELECT current_setting('synchronous_commit', true)").Scan(&level)
		if err == nil && level.String == "off" {
			err = lasting{errors.New("a commit may be lost with the power; it needs synchronous_commit = on, which may stand in the URL as ?synchronous_commit=on")}
		}
		if err == nil {
			err = db.QueryRowContext(ctx, "SELECT current_setting('fsync', true)").Scan(&level)
		}
		if err == nil && level.String == "off" {
			err = lasting{errors.New("a commit may be lost with the power; it needs fsync = on")}
		}
		var unlogged sql.NullString
		if err == nil {
			err = db.QueryRowContext(ctx, strings.ReplaceAll("SELECT max(CAST(oid AS regclass)::text) FROM pg_class WHERE relpersistence <> 'p' AND "+isOurs, "?", tableNames())).Scan(&unlogged)
		}
		if err == nil && unlogged.Valid {
			err = lasting{fmt.Errorf("the server empties %s after a crash; it needs ALTER TABLE … SET LOGGED", unlogged.String)}
		}
		return err
	},
	snapshot:     &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	lockOut:      "LOCK TABLE consent_writer IN SHARE ROW EXCLUSIVE MODE",
	oneStatement: true,
	gone: func(ids []string) string {
		// The lock is the one of a foreign key: an erasure waits for it, and it for an erasure.
		return "SELECT 1 FROM (VALUES (CAST(" + strings.Join(ids, " AS uuid)),(CAST(") + ` AS uuid))) AS previous (id)
			WHERE id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM consent_record WHERE id = previous.id AND reference IS NOT NULL FOR KEY SHARE)`
	},
	// The names are resolved as those of the queries are, by the search path.
	notPlain: "SELECT relname FROM pg_class WHERE (relkind NOT IN ('r', 'p') OR relrowsecurity) AND " + isOurs,
	meddlers: `SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal AND pg_class.` + isOurs + `
		UNION ALL SELECT rulename, relname FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class WHERE relkind IN ('r', 'p') AND pg_class.` + isOurs,
	isOdd:        isOddInPostgreSQL,
	checkIndices: checkIndicesOfPostgreSQL,
}

// isOurs is PostgreSQL's condition that a row of pg_class is one of some tables. Their names
// are resolved as those of the queries are, by the search path.
const isOurs = "oid IN (SELECT CAST(CAST(name AS regclass) AS oid) FROM unnest(ARRAY[?]) AS given (name))"

// sql returns a statement in this dialect. It takes the statement in PostgreSQL's.
func (d *dialect) sql(statement string) string {
	return strings.ReplaceAll(statement, "$", d.parameter)
}

// key returns k as a parameter of a statement.
func (d *dialect) key(k key) driver.Value {
	if k == (key{}) {
		return nil
	}
	return d.uuid(k)
}
