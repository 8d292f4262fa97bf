package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// A table is one whose rows are carried from one database to another.
type table struct {
	name    string
	columns []column
}

type column struct {
	name string
	kind columnKind
}

// A columnKind is what a column holds, in the words of the files of the schema.
type columnKind int

const (
	ofKey     columnKind = iota // uuid, or a blob of 16 bytes
	ofBytes                     // bytea or blob
	ofNumber                    // bigint
	ofText                      // text
	ofBoolean                   // boolean
)

var (
	noticeTable = &table{"consent_notice", []column{{"fingerprint", ofBytes}, {"content", ofText}}}
	writerTable = &table{"consent_writer", []column{{"id", ofKey}, {"opened", ofNumber}, {"written", ofNumber}, {"head", ofBytes}, {"seal", ofBytes}}}
	recordTable = &table{"consent_record", []column{
		{"id", ofKey}, {"writer", ofKey}, {"place", ofNumber}, {"before_hash", ofBytes}, {"hash", ofBytes}, {"seal", ofBytes},
		{"n", ofNumber}, {"previous", ofKey}, {"previous_hash", ofBytes}, {"reference", ofKey}, {"decided", ofNumber}, {"revision", ofNumber},
		{"answers", ofText}, {"objection", ofBoolean}, {"gpc", ofBoolean}, {"regime", ofText}, {"action", ofText}, {"language", ofText},
		{"notice", ofBytes}, {"remainder", ofBoolean}, {"act", ofText}, {"forgotten", ofNumber}, {"digest", ofBytes},
	}}
	linkTable = &table{"consent_link", []column{{"user_hash", ofBytes}, {"reference", ofKey}, {"decided", ofNumber}, {"seal", ofBytes}}}

	// allTables are those of a ledger, but for consent_schema, which each database has of its own.
	allTables = []*table{noticeTable, writerTable, recordTable, linkTable}
)

// each calls do with the values of each row. They are nil, keys, bytes, numbers, text or
// booleans, the same in either database. A value of another type, which somebody has put
// there, stays what it is. do must not keep the slice.
func (t *table) each(ctx context.Context, db querier, do func(values []any) error) error {
	names := make([]string, len(t.columns))
	values, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i, c := range t.columns {
		names[i], into[i] = c.name, &values[i]
	}
	rows, err := db.QueryContext(ctx, "SELECT "+strings.Join(names, ", ")+" FROM "+t.name)
	return each(rows, err, func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("a row of %s: %w", t.name, err)
		}
		for i, c := range t.columns {
			values[i] = c.kind.read(values[i])
		}
		return do(values)
	})
}

// read makes of what a driver returns what table.each says.
func (k columnKind) read(value any) any {
	switch v := value.(type) {
	case []byte:
		if k == ofText {
			return string(v)
		}
	case int64:
		if k == ofBoolean {
			return v != 0
		}
	}
	var id key
	if k == ofKey && value != nil && id.Scan(value) == nil {
		return id
	}
	return value
}

// A tally is how many rows were read, and a sum of their SHA-256 sums, which is the same
// in whatever order they come.
type tally struct {
	rows int64
	sum  [4]uint64
}

func (t *tally) add(of *table, values []any) {
	f := make(fields, 0, 1024).text(of.name)
	for _, value := range values {
		switch v := value.(type) {
		case nil:
			f = f.text("null")
		case key:
			f = f.text("key").key(v)
		case []byte:
			f = f.text("bytes").bytes(v)
		case int64:
			f = f.text("number").number(v)
		case string:
			f = f.text("text").text(v)
		case bool:
			f = f.text("boolean").boolean(v)
		default:
			f = f.text(fmt.Sprintf("%T %v", v, v))
		}
	}
	sum := sha256.Sum256(f)
	for i := range t.sum {
		t.sum[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
	t.rows++
}

// isIn fails unless the tables of a database hold exactly the rows of a tally.
func (t tally) isIn(ctx context.Context, db querier) error {
	var there tally
	for _, of := range allTables {
		err := of.each(ctx, db, func(values []any) error {
			there.add(of, values)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if there != t {
		return fmt.Errorf("%d rows were read and %d are there, or some are not the same", t.rows, there.rows)
	}
	return nil
}

// carryBatch is how many rows a statement inserts on a server.
const carryBatch = 100

// A carrier puts rows into the tables of a database, in one transaction.
type carrier struct {
	db       *database
	tx       *sql.Tx
	put      tally
	progress func(rows int64)
	inserts  map[insertionInto]*sql.Stmt
	waiting  map[*table][]any // parameters of rows that are not inserted yet
}

// An insertionInto is which statement inserts rows.
type insertionInto struct {
	table *table
	count int
}

func newCarrier(db *database, tx *sql.Tx, progress func(int64)) *carrier {
	return &carrier{db: db, tx: tx, progress: progress, inserts: make(map[insertionInto]*sql.Stmt), waiting: make(map[*table][]any)}
}

// carry puts all rows of another database there.
func (c *carrier) carry(ctx context.Context, from querier) error {
	for _, t := range allTables {
		if err := t.each(ctx, from, func(values []any) error { return c.add(ctx, t, values) }); err != nil {
			return err
		}
	}
	return c.flush(ctx)
}

// add puts a row there, with others of its table or at the next flush.
func (c *carrier) add(ctx context.Context, t *table, values []any) error {
	c.put.add(t, values)
	if c.progress != nil && c.put.rows%10_000 == 0 {
		c.progress(c.put.rows)
	}
	for _, value := range values {
		if k, ok := value.(key); ok {
			value = c.db.uuid(k)
		}
		c.waiting[t] = append(c.waiting[t], value)
	}
	batch := 1
	if c.db.oneStatement {
		batch = carryBatch
	}
	if len(c.waiting[t]) < batch*len(t.columns) {
		return nil
	}
	return c.insert(ctx, t, batch)
}

// flush inserts what still waits.
func (c *carrier) flush(ctx context.Context) error {
	for _, t := range allTables {
		for len(c.waiting[t]) > 0 {
			if err := c.insert(ctx, t, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// insert inserts the first rows of those that wait.
func (c *carrier) insert(ctx context.Context, t *table, count int) (err error) {
	of := insertionInto{t, count}
	if c.inserts[of] == nil {
		names := make([]string, len(t.columns))
		for i, column := range t.columns {
			names[i] = column.name
		}
		statement := "INSERT INTO " + t.name + " (" + strings.Join(names, ", ") + ") VALUES " + tuples(count, len(t.columns))
		if c.inserts[of], err = c.tx.PrepareContext(ctx, c.db.sql(statement)); err != nil {
			return err
		}
	}
	end := count * len(t.columns)
	_, err = c.inserts[of].ExecContext(ctx, c.waiting[t][:end]...)
	c.waiting[t] = append(c.waiting[t][:0], c.waiting[t][end:]...)
	if err != nil {
		return fmt.Errorf("a row of %s: %w", t.name, err)
	}
	return nil
}

// fill begins a transaction that puts rows into a database in which there are none. Until
// it ends, nobody else begins to write there.
func (d *database) fill(ctx context.Context) (*sql.Tx, error) {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if d.lockOut != "" {
		if _, err := tx.ExecContext(ctx, d.lockOut); err != nil {
			return nil, errors.Join(err, tx.Rollback())
		}
	}
	for _, t := range allTables {
		var some bool
		err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+t.name+")").Scan(&some)
		if err == nil && some {
			err = fmt.Errorf("there are rows in %s already: a ledger is imported where no site has begun to write", t.name)
		}
		if err != nil {
			return nil, errors.Join(err, tx.Rollback())
		}
	}
	return tx, nil
}
