package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// insert commits all rows, or none.
func (w *writer) insert(ctx context.Context, db *database, rows []row) (err error) {
	if db.oneStatement {
		// A driver may prepare it. What the ledger itself had prepared, a pooler in front of
		// the server would give to one session and not to the next.
		return took(len(rows))(db.ExecContext(ctx, w.statement(db, rows), insertParameters(db, rows)...))
	}
	if len(rows) == 1 {
		insertOne, err := w.prepared(ctx, db, rows)
		if err == nil {
			err = took(1)(insertOne.ExecContext(ctx, insertParameters(db, rows)...))
		}
		return err
	}
	for i := range rows { // before the transaction, which may have the only connection
		if _, err := w.prepared(ctx, db, rows[i:i+1]); err != nil {
			return err
		}
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after the commit
	inTx := make(map[*sql.Stmt]*sql.Stmt)
	for i := range rows {
		one, err := w.prepared(ctx, db, rows[i:i+1])
		if err != nil {
			return err
		}
		if inTx[one] == nil {
			inTx[one] = tx.StmtContext(ctx, one)
		}
		if err := took(1)(inTx[one].ExecContext(ctx, insertParameters(db, rows[i:i+1])...)); err != nil {
			return err
		}
		// The first has the lock, so that no other one waits. To watch ctx, the driver begins
		// a goroutine for each, which takes a tenth of what a row costs.
		ctx = context.WithoutCancel(ctx)
	}
	return tx.Commit()
}

// took returns what fails unless a statement has inserted so many rows: a trigger or a rule
// of the database may leave some out, and say that all is well.
func took(rows int) func(sql.Result, error) error {
	return func(result sql.Result, err error) error {
		if err != nil {
			return err
		}
		taken, err := result.RowsAffected()
		if err == nil && taken != int64(rows) {
			return fmt.Errorf("the database took %d of %d records: look for a trigger or a rule on consent_record", taken, rows)
		}
		return nil // or the driver cannot tell
	}
}

// An insertion is which statement inserts rows. There are few: see round.
type insertion struct {
	count   int
	follows bool // some row follows on one that is in the database
}

func insertionOf(rows []row) insertion {
	return insertion{len(rows), slices.ContainsFunc(rows, func(r row) bool { return r.previous != key{} })}
}

// statement returns the statement for some rows.
func (w *writer) statement(db *database, rows []row) string {
	of := insertionOf(rows)
	if w.statements[of] == "" {
		if w.statements == nil {
			w.statements = make(map[insertion]string)
		}
		w.statements[of] = insertStatement(db, of)
	}
	return w.statements[of]
}

// prepared returns the statement for one row, prepared.
func (w *writer) prepared(ctx context.Context, db *database, row []row) (one *sql.Stmt, err error) {
	of := insertionOf(row)
	if one = w.ones[of]; one == nil {
		if one, err = db.PrepareContext(ctx, w.statement(db, row)); err != nil {
			return nil, err
		}
		if w.ones == nil {
			w.ones = make(map[insertion]*sql.Stmt)
		}
		w.ones[of] = one
	}
	return one, nil
}

// insertStatement returns a statement that inserts some rows.
//
// It fails if a visitor who seemed to be new has a record already, as the number of their
// record is taken. And it must fail if the record that a row follows on has been erased or
// purged meanwhile: nothing follows on what is nobody's. Nothing but the insert itself finds
// that for certain. So the statement sets the place of its first row to NULL then. The
// column is NOT NULL, the database refuses all rows, and collided reports that the writer
// should look for the record and try again.
func insertStatement(db *database, of insertion) string {
	rows, previous := make([]string, of.count), make([]string, of.count)
	for i := range rows {
		previous[i] = fmt.Sprintf("$%d", of.count*columnCount+i+1)
	}
	for i := range rows {
		values := make([]string, columnCount)
		for column := range values {
			values[column] = fmt.Sprintf("$%d", i*columnCount+column+1)
		}
		if i == 0 && of.follows {
			values[placeColumn] = "(SELECT CAST(" + values[placeColumn] + " AS bigint) WHERE NOT EXISTS (" + db.gone(previous) + "))"
		}
		rows[i] = "(" + strings.Join(values, ",") + ")"
	}
	return db.sql("INSERT INTO consent_record (" + columns + ") VALUES " + strings.Join(rows, ","))
}

// insertParameters returns the parameters of insertStatement: the columns of each row, and
// if one follows on another, for each row the record before, unless it is inserted with it.
func insertParameters(db *database, rows []row) []any {
	values := make([]any, 0, len(rows)*(columnCount+1))
	for i := range rows {
		values = append(values, rows[i].values(db)...)
	}
	if !insertionOf(rows).follows {
		return values
	}
	for i := range rows {
		before := rows[i].previous
		if slices.ContainsFunc(rows[:i], func(r row) bool { return r.id == before }) {
			before = key{}
		}
		values = append(values, db.key(before))
	}
	return values
}
