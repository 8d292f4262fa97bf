package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// insert commits all rows, or none.
func (w *writer) insert(ctx context.Context, db *database, rows []row) (err error) {
	if len(rows) > 1 && db.oneStatement {
		statement := w.insertMany[len(rows)]
		if statement == "" {
			statement = insertStatement(db, len(rows))
			if w.insertMany == nil {
				w.insertMany = make(map[int]string)
			}
			w.insertMany[len(rows)] = statement
		}
		_, err = db.ExecContext(ctx, statement, insertParameters(db, rows)...)
		return err
	}
	if w.insertOne == nil {
		if w.insertOne, err = db.PrepareContext(ctx, insertStatement(db, 1)); err != nil {
			return err
		}
	}
	if len(rows) == 1 {
		_, err = w.insertOne.ExecContext(ctx, insertParameters(db, rows)...)
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after the commit
	insertOne := tx.StmtContext(ctx, w.insertOne)
	for i := range rows {
		if _, err := insertOne.ExecContext(ctx, insertParameters(db, rows[i:i+1])...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// insertStatement returns a statement that inserts some rows.
//
// It must fail if a visitor who seemed to be new has a record already: the new row would
// be a second one without a predecessor. And it must fail if the record that a row follows
// on has been erased or purged meanwhile: nothing follows on what is nobody's. A query
// before each insert would find the first, but costs a round trip, and nothing but the
// insert itself finds the second for certain. So the statement sets the place of its first
// row to NULL in these cases. The column is NOT NULL, the database refuses all rows, and
// collided reports that the writer should look for the record and try again.
func insertStatement(db *database, count int) string {
	rows, newVisitors, previous := make([]string, count), make([]string, count), make([]string, count)
	for i := range rows {
		newVisitors[i] = fmt.Sprintf("$%d", count*columnCount+i+1)
		previous[i] = fmt.Sprintf("$%d", count*(columnCount+1)+i+1)
	}
	for i := range rows {
		values := make([]string, columnCount)
		for column := range values {
			values[column] = fmt.Sprintf("$%d", i*columnCount+column+1)
		}
		if i == 0 {
			values[placeColumn] = "(SELECT CAST(" + values[placeColumn] + " AS bigint) WHERE NOT EXISTS (" + db.known(newVisitors) + ") AND NOT EXISTS (" + db.gone(previous) + "))"
		}
		rows[i] = "(" + strings.Join(values, ",") + ")"
	}
	return db.sql("INSERT INTO consent_record (" + columns + ") VALUES " + strings.Join(rows, ","))
}

// insertParameters returns the parameters of insertStatement: the columns of each row,
// then for each row the visitor's reference if the row is their first, otherwise NULL, and
// for each row the record before, unless it is inserted with it.
func insertParameters(db *database, rows []row) []any {
	values := make([]any, 0, len(rows)*(columnCount+2))
	for i := range rows {
		values = append(values, rows[i].values(db)...)
	}
	for i := range rows {
		newVisitor := key{}
		if rows[i].n == 1 {
			newVisitor = rows[i].reference
		}
		values = append(values, db.key(newVisitor))
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
