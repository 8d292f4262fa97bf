package ledger

import (
	"context"
	"fmt"
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
// be a second one without a predecessor. A query before each insert would find that, but
// costs a round trip. So the statement sets the place of its first row to NULL in this
// case. The column is NOT NULL, the database refuses all rows, and collided reports that
// the writer should look for the record and try again.
func insertStatement(db *database, count int) string {
	rows, newVisitors := make([]string, count), make([]string, count)
	for i := range rows {
		newVisitors[i] = fmt.Sprintf("$%d", count*columnCount+i+1)
	}
	for i := range rows {
		values := make([]string, columnCount)
		for column := range values {
			values[column] = fmt.Sprintf("$%d", i*columnCount+column+1)
		}
		if i == 0 {
			values[placeColumn] = "(SELECT CAST(" + values[placeColumn] + " AS bigint) WHERE NOT EXISTS (" + db.known(newVisitors) + "))"
		}
		rows[i] = "(" + strings.Join(values, ",") + ")"
	}
	return db.sql("INSERT INTO consent_record (" + columns + ") VALUES " + strings.Join(rows, ","))
}

// insertParameters returns the parameters of insertStatement: the columns of each row,
// then for each row the visitor's reference if the row is their first, otherwise NULL.
func insertParameters(db *database, rows []row) []any {
	values := make([]any, 0, len(rows)*(columnCount+1))
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
	return values
}
