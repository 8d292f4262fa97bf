package ledger

import (
	"context"
	"fmt"
	"strings"
)

// insert commits rows together: in one statement, since each takes a round trip to a
// server, and in one transaction where there is none, since the embedded database
// would read a long statement for longer than it writes.
func (w *writer) insert(ctx context.Context, db *database, rows []row) (err error) {
	if len(rows) > 1 && !db.sqlite {
		_, err = db.ExecContext(ctx, insertion(db, len(rows)), inserted(db, rows)...)
		return err
	}
	if w.one == nil {
		if w.one, err = db.PrepareContext(ctx, insertion(db, 1)); err != nil {
			return err
		}
	}
	if len(rows) == 1 {
		_, err = w.one.ExecContext(ctx, inserted(db, rows)...)
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after the commit
	one := tx.StmtContext(ctx, w.one)
	for i := range rows {
		if _, err := one.ExecContext(ctx, inserted(db, rows[i:i+1])...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// insertion returns the statement that inserts some rows. Where one of them that is to
// be the first of its visitor is not, the first row has no place, which the table
// refuses: so nobody has to look for one before.
func insertion(db *database, count int) string {
	rows, firsts := make([]string, count), make([]string, count)
	for i := range rows {
		placeholders := make([]string, columnCount)
		for column := range placeholders {
			placeholders[column] = fmt.Sprintf("$%d", i*columnCount+column+1)
		}
		if i == 0 {
			placeholders[placeColumn] = fmt.Sprintf("(SELECT CAST(%s AS bigint) WHERE NOT EXISTS (%%s))", placeholders[placeColumn])
		}
		rows[i] = "(" + strings.Join(placeholders, ",") + ")"
		firsts[i] = fmt.Sprintf("($%d)", count*columnCount+i+1)
	}
	others := "SELECT 1 FROM consent_record WHERE reference = " + firsts[0]
	if !db.sqlite {
		firsts[0] = "(CAST(" + firsts[0] + " AS uuid))"
		// Each visitor is a search of its own: see heads.
		others = "SELECT 1 FROM (VALUES " + strings.Join(firsts, ",") + `) AS firsts
			WHERE (SELECT n FROM consent_record WHERE reference = firsts.column1 ORDER BY n DESC LIMIT 1) IS NOT NULL`
	}
	return db.sql(fmt.Sprintf("INSERT INTO consent_record ("+columns+") VALUES "+strings.Join(rows, ","), others))
}

// inserted returns the parameters of insertion: the rows, and the reference of each that
// is to be the first of its visitor.
func inserted(db *database, rows []row) []any {
	values := make([]any, 0, len(rows)*(columnCount+1))
	for i := range rows {
		values = append(values, rows[i].values(db)...)
	}
	for i := range rows {
		first := key{}
		if rows[i].n == 1 {
			first = rows[i].reference
		}
		values = append(values, db.key(first))
	}
	return values
}
